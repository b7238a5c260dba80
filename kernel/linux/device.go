package linux

import "pdac/kernel/sched"

// MapDevice is PDAC's own call, for drivers above the runtime: it maps the
// registers of a device, RSI bytes at physical address RDI below 4 GiB, at that
// address, uncached. EACCES: the caller's space may not drive devices. EINVAL: not
// below 4 GiB, or not a device's. ENOMEM: no memory for page tables.
const MapDevice = 0x5002

func sysMapDevice(cpu int, c *sched.Context) int64 {
	pa, n := c.RDI, c.RSI
	if r := ask(cpu, FamilyMachine, RightDrive); r != 0 {
		return r
	}
	if n == 0 || n > 1<<32 || pa > 1<<32-n || hooks.MapDevice == nil {
		return einval
	}
	return hooks.MapDevice(cpu, pa, n)
}

// Answers of Hooks.MapDevice.
const (
	DeviceMapped   = 0
	DeviceNoMemory = enomem
	DeviceRefused  = einval
)

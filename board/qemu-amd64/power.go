package board

import (
	"sync/atomic"

	"pdac/asm"
	"pdac/kernel/klog"
	"pdac/kernel/numa/acpi"
)

// Power states by the FADT (ACPI 6.5, sections 4.8.3.2 and 4.8.3.6).
const (
	pmSleepEnable = 1 << 13
	pmSleepType   = 10 // shift

	pmSCIEnable = 1 << 0
)

// kbdReset pulses the reset line through the keyboard controller.
const (
	kbdCommand = 0x64
	kbdPulse   = 0xfe
)

// exit ends the machine with a code for run-qemu.sh: the other CPUs stop, the
// last line is printed, the power goes off. Below the runtime; doesn't return.
func exit(cpu int, code int) {
	asm.CLI()
	stopOthers(cpu)
	klog.Seize()
	print3("PDAC-EXIT ", uint64(uint8(code)), "\r\n")
	powerOff()
	for range stopPatience { // QEMU heeds the write while the CPU goes on
		asm.Pause()
	}
	asm.Out8(debugExit, uint8(code))
	for {
		asm.CLI()
		asm.HLT()
	}
}

// print3 writes a line piece by piece, polled.
func print3(a string, n uint64, b string) {
	puts(a)
	var d [20]byte
	i := len(d)
	for {
		i--
		d[i] = '0' + byte(n%10)
		if n /= 10; n == 0 {
			break
		}
	}
	for ; i < len(d); i++ {
		putByte(d[i])
	}
	puts(b)
}

func puts(s string) {
	for i := range len(s) {
		putByte(s[i])
	}
}

// die ends a boot that cannot go on.
func die(why string) {
	puts("pdac: ")
	puts(why)
	puts("\r\n")
	exit(0, exitPanic)
}

func triple()

// exitPanic is the exit code of a kernel panic or a boot that failed.
const exitPanic = 254

// debugExit is the port of QEMU's isa-debug-exit where run-qemu.sh puts it: the way
// out of a machine without ACPI. Where the device is not, nobody listens.
const debugExit = 0xf4

func powerOff() {
	f := &fadt
	if f.SMICommand != 0 && f.ACPIEnable != 0 && f.PM1aControl.Space == acpi.SpaceIO && asm.In16(uint16(f.PM1aControl.Addr))&pmSCIEnable == 0 {
		asm.Out8(uint16(f.SMICommand), f.ACPIEnable)
		for range stopPatience {
			if asm.In16(uint16(f.PM1aControl.Addr))&pmSCIEnable != 0 {
				break
			}
			asm.Pause()
		}
	}
	out16(&f.PM1aControl, uint16(s5.A)<<pmSleepType|pmSleepEnable)
	out16(&f.PM1bControl, uint16(s5.B)<<pmSleepType|pmSleepEnable)
	// QEMU before its tables were read: q35, pc.
	asm.Out16(0x604, pmSleepEnable)
	asm.Out16(0xb004, pmSleepEnable)
}

// reset restarts the machine: the FADT's register, the keyboard controller, a
// triple fault. Both worlds.
func reset() {
	asm.CLI()
	if g := &fadt.Reset; g.Valid() && g.Space == acpi.SpaceIO {
		asm.Out8(uint16(g.Addr), fadt.ResetValue)
	}
	asm.Out8(kbdCommand, kbdPulse)
	loadDescriptors(0, 0, asm.LIDT)
	triple()
	for {
		asm.HLT()
	}
}

func out16(g *acpi.GAS, v uint16) {
	if g.Valid() && g.Space == acpi.SpaceIO {
		asm.Out16(uint16(g.Addr), v)
	}
}

// stopOthers halts all other CPUs by NMI, for good, and gives them a moment to
// note where they were.
func stopOthers(cpu int) {
	if !atomic.CompareAndSwapUint32(&stopping, 0, uint32(cpu)+1) {
		if atomic.LoadUint32(&stopping) != uint32(cpu)+1 {
			for { // another CPU is at it, and its NMI is on the way
				asm.CLI()
				asm.HLT()
			}
		}
		return
	}
	if online := onlineCPUs(); online > 1 {
		for i := range cpus { // not by shorthand: a CPU that is left out may be on its way and have no IDT yet
			if c := &cpus[i]; c != records[cpu] && atomic.LoadUint32(&c.online) == cpuUp {
				sendIPI(c.apicID, icrNMI|icrAssert)
			}
		}
		for range stopPatience {
			if stopped() >= online-1 {
				break
			}
			asm.Pause()
		}
	}
}

const stopPatience = 1 << 22 // turns of a loop: time may be what is broken

var stopping uint32 // atomic: 1 + the CPU that stops the others

func onlineCPUs() (n int) {
	for i := range cpus {
		if atomic.LoadUint32(&cpus[i].online) == cpuUp {
			n++
		}
	}
	return n
}

func stopped() (n int) {
	for i := range cpus {
		n += int(atomic.LoadUint32(&cpus[i].dumped))
	}
	return n
}

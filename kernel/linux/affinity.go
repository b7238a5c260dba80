package linux

import (
	"unsafe"

	"pdac/kernel/sched"
)

var nodes []uint8 // NUMA node of each CPU

// cpuSetSize is what sched_getaffinity(2) writes: whole words for all CPUs.
func cpuSetSize() uint64 { return uint64(ncpu+63) / 64 * 8 }

// byPID turns the pid argument of a scheduling call into a thread, 0 meaning the caller.
func byPID(t sched.ID, pid uint64) (sched.ID, bool) {
	if pid == 0 {
		return t, true
	}
	if int32(pid) < 0 || !exists(sched.ID(pid)) {
		return 0, false
	}
	return sched.ID(pid), true
}

// sysGetaffinity is sched_getaffinity(pid, size, mask); it returns the bytes written.
func sysGetaffinity(t sched.ID, c *sched.Context) int64 {
	n := cpuSetSize()
	if c.RSI < n || c.RSI%8 != 0 {
		return einval
	}
	t, ok := byPID(t, c.RDI)
	if !ok {
		return esrch
	}
	var mask sched.CPUSet
	sched.GetAffinity(t, &mask)
	if !copyOut(c.RDX, unsafe.Pointer(&mask), n) {
		return efault
	}
	return int64(n)
}

// sysSetaffinity is sched_setaffinity(pid, size, mask).
func sysSetaffinity(cpu int, t sched.ID, c *sched.Context) int64 {
	t, ok := byPID(t, c.RDI)
	if !ok {
		return esrch
	}
	var mask sched.CPUSet
	if !copyIn(unsafe.Pointer(&mask), c.RDX, min(c.RSI, uint64(unsafe.Sizeof(mask)))) {
		return efault
	}
	if !sched.SetAffinity(cpu, t, &mask) {
		return einval
	}
	return 0
}

// sysGetcpu is getcpu(cpu, node, unused).
func sysGetcpu(cpu int, c *sched.Context) int64 {
	if c.RDI != 0 && !store32(c.RDI, uint32(cpu)) || c.RSI != 0 && !store32(c.RSI, uint32(nodes[cpu])) {
		return efault
	}
	return 0
}

// sysSetClass is SetClass. It asks for what drivers do, which the kernel's space may and a program's with Drive.
func sysSetClass(cpu int, t sched.ID, c *sched.Context) int64 {
	if r := ask(cpu, FamilyMachine, RightDrive); r != 0 {
		return r
	}
	t, ok := byPID(t, c.RDI)
	if !ok {
		return esrch
	}
	if c.RSI > uint64(sched.ClassBatch) {
		return einval
	}
	sched.SetClass(cpu, t, sched.Class(c.RSI))
	return 0
}

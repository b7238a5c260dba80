package board

import (
	"syscall"
	"time"
	"unsafe"

	"pdac/kernel/numa"
	"pdac/kernel/vm"
)

// What a program may ask of the machine, above the runtime.

// Running says whether the program is a kernel image that was booted.
func Running() bool { return startInfo != 0 }

// SinceEntry returns the time since the image's first instruction.
func SinceEntry() time.Duration { return time.Duration(now()) }

// NodeOf returns the NUMA node of a CPU.
func NodeOf(cpu int) int { return int(cpuNodes[cpu]) }

// NodeOfMemory returns the NUMA node of the memory that is behind p now; false if
// there is none yet.
func NodeOfMemory(p unsafe.Pointer) (node int, ok bool) {
	frame, ok := vm.Frame(uint64(uintptr(p)))
	if !ok {
		return 0, false
	}
	n, ok := topology.NodeOf(uint64(frame) << 12)
	return int(n), ok
}

// Nodes returns what each node's memory was used for.
func Nodes() []numa.NodeStats {
	r := make([]numa.NodeStats, topology.NNodes)
	for n := range r {
		r[n] = frames.Stats(n)
	}
	return r
}

// Pin binds the calling thread to a CPU: sched_setaffinity(2). The goroutine must
// be locked to it.
func Pin(cpu int) error {
	var mask [maxCPUs / 64]uint64
	mask[cpu/64] = 1 << (cpu % 64)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask))); errno != 0 {
		return errno
	}
	return nil
}

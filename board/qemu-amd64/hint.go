package board

import (
	"sync/atomic"
	"unsafe"
)

// The number of the CPU, and what the kernel keeps for it, for callers above the runtime who ask in each
// call: two instructions. thisCPU takes a dozen more, those of the wrapper by which Go code calls assembly
// through a function value. These go without: the code's address is in a function value of our own,
// and the result in AX, where Go's calling convention wants it (Go's abi-internal.md, "Architecture
// specifics"). They touch nothing else.

func cpuToAX()
func cpuToAXAddr() uintptr

func localToAX()
func localToAXAddr() uintptr

// cpuFunc returns thisCPU as such a function. What it tells is old as soon as it returns.
func cpuFunc() func() int {
	f := &struct{ code uintptr }{cpuToAXAddr()} // a function value is the address of such a struct
	return *(*func() int)(unsafe.Pointer(&f))
}

// localFunc returns such a function, which returns what setLocal was last given for the caller's CPU.
func localFunc() func() unsafe.Pointer {
	f := &struct{ code uintptr }{localToAXAddr()}
	return *(*func() unsafe.Pointer)(unsafe.Pointer(&f))
}

// setLocal sets what localFunc's function returns on a CPU. The collector doesn't see it there.
func setLocal(cpu int, p unsafe.Pointer) { atomic.StoreUintptr(&records[cpu].local, uintptr(p)) }

package board

import "unsafe"

// The number of the CPU, for callers above the runtime who ask for it in each call: two
// instructions. thisCPU takes a dozen more, those of the wrapper by which Go code calls assembly
// through a function value. This one goes without: its address is in a function value of our own,
// and its result in AX, where Go's calling convention wants it (Go's abi-internal.md, "Architecture
// specifics"). It touches nothing else.

func cpuToAX()
func cpuToAXAddr() uintptr

// cpuFunc returns thisCPU as such a function. What it tells is old as soon as it returns.
func cpuFunc() func() int {
	f := &struct{ code uintptr }{cpuToAXAddr()} // a function value is the address of such a struct
	return *(*func() int)(unsafe.Pointer(&f))
}

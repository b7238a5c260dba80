package space

// Spaces that are always there. The others' numbers are the gate's to give.
const (
	None uint32 = 0 // no authority but to write to the descriptors 1 and 2
	Root uint32 = 1 // the program's first

	Kernel uint32 = 2 // of the kernel's own goroutines, which nobody is asked about
)

// Layout is where the runtime keeps what tells a thread's space, in bytes.
type Layout struct {
	M, Space    uintptr // in a g: the address of its m; the space, a uint32
	G0, Gsignal uintptr // in an m: the addresses of the g that the runtime works on itself, and of that for signals
}

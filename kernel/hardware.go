package kernel

import "pdac/kernel/sched"

// Hardware is what a machine's board gives to Boot. Its functions are callable
// below the runtime, from every CPU, with interrupts off.
type Hardware struct {
	NCPU  int
	Nodes []uint8 // NUMA node of each CPU

	Distances *[sched.MaxNodes][sched.MaxNodes]uint8 // between nodes, ACPI's: 10 within one

	NNodes      int
	MemoryNodes uint64 // a bit for each node with RAM

	Now  func() uint64                  // ns since boot, one clock for all CPUs
	Kick func(cpu int)                  // make a CPU look at its run queue
	Arm  func(cpu int, deadline uint64) // one-shot timer of the calling CPU

	Reserve func(bytes uint64) uint64            // address space for a table, at boot
	Back    func(cpu int, va, bytes uint64) bool // memory for a part of it

	Cmdline []byte // of the kernel, without the terminating 0
	Files   []byte // cpio archive with the program's files; empty: none
	Entry   uint64 // first instruction of the program

	XSaveSize     uint64 // bytes of a vector state area; 512 for FXSAVE
	XSaveFeatures uint64 // XCR0; 3 for FXSAVE

	Exit      func(cpu int, code int)                                   // end the machine
	Fatal     func(cpu int, t uint32, sig int, code int32, addr uint64) // end it for a signal
	MapDevice func(cpu int, pa, n uint64) int64                         // registers of a device, for a driver above the runtime: linux.MapDevice
	Memory    func() (total, free uint64)                               // bytes of RAM
	Room      func(n uint64) bool                                       // whether that many bytes more could be used
	Output    func(cpu int, b []byte)                                   // to the console
}

// Package vm is virtual memory: the areas that the program has mapped, the
// page tables under them, page faults and TLB shootdown. There is one address
// space:
//
//	0 .. 4 GiB                identity-mapped where mapped at all: image, MMIO, DMA;
//	                          but for the image's large zeroed variables: Config.LazyMin
//	4 GiB .. 1<<47            the program's areas: Map, Unmap, Protect, Advise
//	0xffff800000000000 ..     direct map of physical memory
//	0xffffa00000000000 ..     kernel virtual arrays and stacks: Populate, MapKernel
//
// It serves the world below the runtime. Callers run with interrupts off on
// the CPU that they name, and are not preempted. Above the runtime only
// ReadStats, CPUStats, Walk, Frame, Huge and SetHuge may be called.
//
// Faults take no lock: they read a persistent tree of areas (tree.go) inside a
// per-CPU section (section.go) and install entries by compare-and-swap
// (fault.go). Everything that removes or changes a mapping holds one lock, and
// goes on in this order: publish the new tree; wait until every CPU has left
// the section it was in; change the entries; shoot down (shoot.go); free the
// frames and then the page tables.
//
// Rules for callers:
//   - Program memory is never touched inside this package, nor by Config's
//     functions. So a fault never happens under the areas lock or in a section.
//   - A CPU that spins with interrupts off where the holder of the areas lock
//     may be waiting for it calls Poll in the loop.
package vm

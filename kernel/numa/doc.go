// Package numa knows the machine's nodes: which CPUs and which memory each has and how far they are from each other
// ([Topology], from the tables that kernel/numa/acpi reads), and hands out physical frames node by node.
//
// World: both. [Topology.Build] runs once at boot, below the runtime, and nothing changes the Topology afterwards, so that
// anything may read it without a lock. It holds no pointers and allocates nothing.
//
// A node is what the rest of the kernel counts by: a dense number from 0, in ascending order of ACPI's proximity domains,
// which are sparse 32-bit numbers and appear nowhere outside this package but in reports. Ascending, and not "the boot CPU's
// node first", so that a node keeps its number whichever CPU the firmware boots.
package numa

package numa

import "pdac/kernel/numa/acpi"

// Limits. Firmware that exceeds them is reported, and what is beyond is not used.
const (
	MaxNodes = 64
	MaxCPUs  = acpi.MaxCPUs
	// MaxRanges is of RAM. The SRAT's n ranges fit too: they have 2n ends, which cut the addresses into at most 2n-1 pieces.
	MaxRanges = 2 * acpi.MaxMemory
)

// Node is one node.
type Node struct {
	Domain uint32 // ACPI's proximity domain
	CPUs   int
	Bytes  uint64 // RAM
}

// CPU is one CPU that the firmware enabled.
type CPU struct {
	APICID uint32
	UID    uint32 // ACPI processor UID
	Node   uint8
}

// Range is physical memory: addresses from Base up to but not including Limit.
type Range struct {
	Base  uint64
	Limit uint64
	Node  uint8
}

// Topology describes the machine after [Topology.Build]. CPU 0 is the boot CPU, the others follow in the order of the
// MADT, where firmware should list threads of one core far apart (ACPI 5.2.12.1).
type Topology struct {
	NNodes int
	NCPUs  int
	Nodes  [MaxNodes]Node
	CPUs   [MaxCPUs]CPU

	// Distance is relative to a node's own memory, which is 10; 255 is no path. It may be asymmetric: the first index
	// accesses the second (ACPI 5.2.17).
	Distance [MaxNodes][MaxNodes]uint8
	// ReadLatency is in picoseconds and ReadBandwidth in MB/s, from the HMAT; 0 is not known. The first index accesses the
	// second.
	ReadLatency   [MaxNodes][MaxNodes]uint32
	ReadBandwidth [MaxNodes][MaxNodes]uint32

	nMemory    int                       // nodes with RAM
	memory     uint64                    // a bit for each of them
	neighbours [MaxNodes][MaxNodes]uint8 // all nodes by distance
	order      [MaxNodes][MaxNodes]uint8 // the nMemory of them that have RAM
	byAPICID   [MaxCPUs]uint16           // CPU numbers by ascending APIC ID
	ram        rangeSet
	affinity   rangeSet // scratch of Build
}

// Build fills t from the tables, each nil where the machine has none, and from the RAM ranges of the memory map, whose
// Node is ignored. bspAPICID is the APIC ID of the CPU that calls. It always succeeds: what the tables leave open is
// assumed and reported.
//
// A node exists for each domain that has an enabled CPU or RAM. Without an SRAT all is node 0.
func (t *Topology) Build(madt *acpi.MADT, srat *acpi.SRAT, slit *acpi.SLIT, hmat *acpi.HMAT, ram []Range, bspAPICID uint32, r *acpi.Report) {
	*t = Topology{}
	t.buildCPUs(madt, bspAPICID, r)
	t.buildNodes(srat, ram, r)
	t.placeCPUs(srat, r)
	t.buildRanges(srat, ram, r)
	for _, g := range t.RAM() {
		t.Nodes[g.Node].Bytes += g.Limit - g.Base
	}
	for n := range t.Nodes[:t.NNodes] {
		if t.Nodes[n].Bytes != 0 {
			t.nMemory++
			t.memory |= 1 << n
		}
	}
	t.buildDistances(slit, r)
	t.buildOrders()
	if hmat != nil {
		t.buildAttributes(hmat)
	}
}

// CPUOf returns the number of the CPU with an APIC ID, and false where there is none.
func (t *Topology) CPUOf(apicID uint32) (cpu int, ok bool) {
	i := t.searchAPICID(apicID)
	if i == t.NCPUs {
		return 0, false
	}
	cpu = int(t.byAPICID[i])
	return cpu, t.CPUs[cpu].APICID == apicID
}

// NodeOf returns the node of a physical address, and false where it is not RAM.
func (t *Topology) NodeOf(pa uint64) (node uint8, ok bool) {
	i := t.ram.search(pa)
	if i == t.ram.n || t.ram.ranges[i].Base > pa {
		return 0, false
	}
	return t.ram.ranges[i].Node, true
}

// RAM returns the memory map with its nodes: ascending, disjoint, and cut where the node changes. The slice aliases t and
// must not be changed.
func (t *Topology) RAM() []Range { return t.ram.ranges[:t.ram.n] }

// Order returns the nodes that have RAM in the order in which an allocation for node should try them: itself, if it has
// any, then by distance. Nodes without RAM are not in it, since looking at their empty pools would cost each allocation that
// goes past them a cache line and never yield a frame. Nodes at equal distance follow each other in rotation, so that the
// overflow of several nodes does not all fall on the one with the lowest number. A node without a path (255) comes last and
// not never: x86 memory is coherent, and slow memory is better than none.
//
// The slice aliases t and must not be changed.
func (t *Topology) Order(node int) []uint8 { return t.order[node][:t.nMemory] }

// Neighbours returns all nodes, node itself first, then by distance, in the rotation of [Topology.Order]. The slice
// aliases t and must not be changed.
func (t *Topology) Neighbours(node int) []uint8 { return t.neighbours[node][:t.NNodes] }

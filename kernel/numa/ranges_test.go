package numa

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pdac/kernel/numa/acpi"
	build "pdac/kernel/numa/acpi/acpitest"
)

func expectRAM(t *testing.T, top *Topology, want ...Range) {
	t.Helper()
	if !slices.Equal(top.RAM(), want) {
		t.Errorf("RAM %x\nexpected %x", top.RAM(), want)
	}
}

// twoNodes returns an SRAT of domains 0 and 1 with memory.
func twoNodes(memory ...[]byte) firmware {
	return firmware{madt: cpus(0, 1), srat: build.SRAT(3, append([][]byte{build.CPU(0, 0, 1), build.CPU(1, 1, 1)}, memory...)...)}
}

func TestRangesInterleaved(t *testing.T) {
	f := twoNodes(build.Memory(0, gib, 0, 1), build.Memory(2*gib, gib, 0, 1), build.Memory(gib, gib, 1, 1), build.Memory(4*gib, gib, 1, 1))
	f.ram = []Range{{Base: 4 * gib, Limit: 5 * gib}, {Base: mib, Limit: 3 * gib}} // in no order
	expectRAM(t, topology(t, f), Range{mib, gib, 0}, Range{gib, 2 * gib, 1}, Range{2 * gib, 3 * gib, 0}, Range{4 * gib, 5 * gib, 1})
}

// Ranges of one node that touch are one.
func TestRangesJoin(t *testing.T) {
	f := twoNodes(build.Memory(0, gib, 0, 1), build.Memory(gib, gib, 0, 1), build.Memory(2*gib, gib, 1, 1))
	f.ram = []Range{{Base: 0, Limit: mib}, {Base: 2 * mib, Limit: gib}, {Base: mib, Limit: 2 * mib}, {Base: gib, Limit: 3 * gib}}
	expectRAM(t, topology(t, f), Range{0, 2 * gib, 0}, Range{2 * gib, 3 * gib, 1})
}

func TestRangesOverlapFirstWins(t *testing.T) {
	f := twoNodes(build.Memory(gib, gib, 1, 1), build.Memory(0, 4*gib, 0, 1), build.Memory(0, gib, 0, 1))
	f.ram = []Range{{Base: 0, Limit: 4 * gib}}
	top := topology(t, f, "SRAT: memory at 0x0 to 0x100000000 of domain 0 is also another domain's: the earlier entry is used")
	expectRAM(t, top, Range{0, gib, 0}, Range{gib, 2 * gib, 1}, Range{2 * gib, 4 * gib, 0})
}

// A hot-pluggable range yields to one that is not, without a problem, and has what RAM is in it.
func TestRangesHotplugYields(t *testing.T) {
	f := twoNodes(build.Memory(0, 8*gib, 1, 3), build.Memory(0, 2*gib, 0, 1))
	f.ram = []Range{{Base: 0, Limit: 3 * gib}}
	expectRAM(t, topology(t, f), Range{0, 2 * gib, 0}, Range{2 * gib, 3 * gib, 1})
}

func TestRangesUncovered(t *testing.T) {
	f := twoNodes(build.Memory(gib, gib, 1, 1), build.Memory(3*gib, gib, 0, 1))
	f.ram = []Range{{Base: 0, Limit: 5 * gib}}
	top := topology(t, f, "SRAT: 3221225472 bytes of RAM, the first at 0x0, have no entry: they go to the node of the range below")
	expectRAM(t, top, Range{0, 3 * gib, 1}, Range{3 * gib, 5 * gib, 0})
}

// An SRAT that names no memory, as some desktops have.
func TestRangesNone(t *testing.T) {
	f := twoNodes()
	f.ram = gig
	expectRAM(t, topology(t, f), Range{0, gib, 0})
}

func TestRangesOverlapInMemoryMap(t *testing.T) {
	top := topology(t, firmware{ram: []Range{{Base: 0, Limit: 2 * gib}, {Base: gib, Limit: 3 * gib}, {Base: 5 * gib, Limit: 4 * gib}}})
	expectRAM(t, top, Range{0, 3 * gib, 0})
	if top.Nodes[0].Bytes != 3*gib {
		t.Errorf("%d bytes", top.Nodes[0].Bytes)
	}
}

func TestRangesTooMany(t *testing.T) {
	var ram []Range
	for i := range uint64(MaxRanges + 2) {
		ram = append(ram, Range{Base: 2 * i * mib, Limit: (2*i + 1) * mib})
	}
	top := topology(t, firmware{ram: ram}, "SRAT: 2097152 bytes of RAM lie beyond the limit of 1024 ranges: not used")
	if top.Nodes[0].Bytes != MaxRanges*mib {
		t.Errorf("%d bytes", top.Nodes[0].Bytes)
	}
}

func TestNodeOf(t *testing.T) {
	f := twoNodes(build.Memory(0, gib, 0, 1), build.Memory(gib, gib, 1, 1), build.Memory(^uint64(0)-gib, gib, 0, 1))
	f.ram = []Range{{Base: mib, Limit: 3 * gib / 2}, {Base: ^uint64(0) - gib, Limit: ^uint64(0)}}
	top := topology(t, f)
	for _, c := range []struct {
		pa   uint64
		node uint8
		ok   bool
	}{
		{0, 0, false}, {mib - 1, 0, false}, {mib, 0, true}, {gib - 1, 0, true}, {gib, 1, true}, {3*gib/2 - 1, 1, true}, {3 * gib / 2, 0, false},
		{^uint64(0) - gib, 0, true}, {^uint64(0) - 1, 0, true}, {^uint64(0), 0, false},
	} {
		if node, ok := top.NodeOf(c.pa); node != c.node || ok != c.ok {
			t.Errorf("%#x: node %d %v, expected %d %v", c.pa, node, ok, c.node, c.ok)
		}
	}
}

// TestRangesRandom compares with a model that decides each address by itself.
func TestRangesRandom(t *testing.T) {
	const size = 64
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func() (base, limit uint64) {
		base = rnd.Uint64N(size)
		return base, base + 1 + rnd.Uint64N(min(size-base, 16))
	}
	for range 1000 {
		var srat acpi.SRAT
		var ram []Range
		for i := range uint32(4) {
			srat.CPUs[i] = acpi.ProcessorAffinity{APICID: i, Domain: i}
		}
		var madt acpi.MADT
		for i := range uint32(4) {
			madt.CPUs[i].APICID = i
		}
		srat.NCPUs, madt.NCPUs = 4, 4
		srat.NMemory = rnd.IntN(10)
		for i := range srat.Memory[:srat.NMemory] {
			base, limit := pick()
			srat.Memory[i] = acpi.MemoryAffinity{Base: base, Limit: limit, Domain: rnd.Uint32N(4), Hotplug: rnd.IntN(4) == 0}
		}
		for range rnd.IntN(10) {
			base, limit := pick()
			ram = append(ram, Range{Base: base, Limit: limit})
		}
		owner := func(pa uint64) (uint8, bool) {
			for _, hotplug := range []bool{false, true} {
				for _, m := range srat.Memory[:srat.NMemory] {
					// A range that no RAM is in does not matter, and its domain may be no node.
					if m.Hotplug == hotplug && m.Base <= pa && pa < m.Limit {
						return uint8(m.Domain), true
					}
				}
			}
			return 0, false
		}
		var top Topology
		var r acpi.Report
		top.Build(&madt, &srat, nil, nil, ram, 0, &r)
		var bytes uint64
		for pa := range uint64(size + 16) {
			isRAM := slices.ContainsFunc(ram, func(g Range) bool { return g.Base <= pa && pa < g.Limit })
			want := uint8(0)
			if isRAM {
				bytes++
				below, ok := pa, false
				for ; !ok && below != ^uint64(0); below-- {
					want, ok = owner(below)
				}
				for above := pa; !ok && above < size+16; above++ {
					want, ok = owner(above)
				}
			}
			if node, ok := top.NodeOf(pa); ok != isRAM || node != want {
				t.Fatalf("%d: node %d %v, expected %d %v\nSRAT %v\nRAM map %v\nRAM %v", pa, node, ok, want, isRAM, srat.Memory[:srat.NMemory], ram, top.RAM())
			}
		}
		sum := uint64(0)
		for i, g := range top.RAM() {
			sum += g.Limit - g.Base
			if i > 0 && (top.RAM()[i-1].Limit > g.Base || top.RAM()[i-1].Limit == g.Base && top.RAM()[i-1].Node == g.Node) {
				t.Fatalf("not ascending, disjoint and joined: %v", top.RAM())
			}
		}
		if sum != bytes || top.Nodes[0].Bytes+top.Nodes[1].Bytes+top.Nodes[2].Bytes+top.Nodes[3].Bytes != bytes {
			t.Fatalf("%d bytes, expected %d", sum, bytes)
		}
	}
}

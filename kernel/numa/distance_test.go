package numa

import (
	"slices"
	"testing"

	"pdac/kernel/numa/acpi"
	build "pdac/kernel/numa/acpi/acpitest"
)

// nodes returns n nodes of one CPU and 1 GiB each, with domains 0, step, 2*step, ...
func nodes(n int, step uint32) firmware {
	var madt, srat [][]byte
	for i := range uint32(n) {
		madt = append(madt, build.LocalAPIC(uint8(i), 1))
		srat = append(srat, build.CPU(uint8(i), i*step, 1), build.Memory(uint64(i)*gib, gib, i*step, 1))
	}
	return firmware{madt: build.MADT(madt...), srat: build.SRAT(3, srat...), ram: []Range{{Base: 0, Limit: uint64(n) * gib}}}
}

func expectOrders(t *testing.T, top *Topology, want ...[]uint8) {
	t.Helper()
	for n, w := range want {
		if !slices.Equal(top.Order(n), w) || !slices.Equal(top.Neighbours(n), w) {
			t.Errorf("node %d: order %v, neighbours %v, expected %v", n, top.Order(n), top.Neighbours(n), w)
		}
	}
}

// Ties rotate.
func TestOrderTies(t *testing.T) {
	expectOrders(t, topology(t, nodes(4, 1)), []uint8{0, 1, 2, 3}, []uint8{1, 2, 3, 0}, []uint8{2, 3, 0, 1}, []uint8{3, 0, 1, 2})
}

func TestOrderAsymmetric(t *testing.T) {
	f := nodes(3, 1)
	f.slit = build.SLIT(3, 10, 40, 15, 21, 10, 20, 255, 254, 10)
	top := topology(t, f)
	expectOrders(t, top, []uint8{0, 2, 1}, []uint8{1, 2, 0}, []uint8{2, 1, 0})
	if top.Distance[0][1] != 40 || top.Distance[1][0] != 21 || top.Distance[2][0] != 255 {
		t.Errorf("distances %v", top.Distance[:3])
	}
}

// A table that calls every node local does not make another node the first.
func TestOrderAllLocal(t *testing.T) {
	f := nodes(3, 1)
	f.slit = build.SLIT(3, 10, 10, 10, 10, 10, 10, 10, 10, 10)
	expectOrders(t, topology(t, f), []uint8{0, 1, 2}, []uint8{1, 2, 0}, []uint8{2, 0, 1})
}

// The SLIT is indexed by domain, not by node.
func TestDistanceByDomain(t *testing.T) {
	f := nodes(2, 2)
	f.slit = build.SLIT(3, 10, 99, 30, 99, 10, 99, 31, 99, 10)
	if top := topology(t, f); top.Distance[0][1] != 30 || top.Distance[1][0] != 31 {
		t.Errorf("distances %d and %d", top.Distance[0][1], top.Distance[1][0])
	}
}

func TestDistanceSmallSLIT(t *testing.T) {
	f := nodes(3, 1)
	f.slit = build.SLIT(2, 10, 16, 16, 10)
	top := topology(t, f, "SLIT: domain 2 exceeds the 2 localities: distance 20 is assumed")
	for i, want := range [][3]uint8{{10, 16, 20}, {16, 10, 20}, {20, 20, 10}} {
		if [3]uint8(top.Distance[i][:3]) != want {
			t.Errorf("node %d: %v, expected %v", i, top.Distance[i][:3], want)
		}
	}
}

func TestDistanceBadSLIT(t *testing.T) {
	f := nodes(2, 1)
	f.slit = build.SLIT(2, 10, 3, 16, 10)
	if top := topology(t, f, "SLIT: distance at 0x2d is 3, expected 10 or more: table left out"); top.Distance[1][0] != 20 {
		t.Errorf("distance %d", top.Distance[1][0])
	}
}

func TestAttributes(t *testing.T) {
	f := nodes(2, 9)
	both := []uint32{0, 9}
	f.hmat = build.HMAT(2,
		build.Locality(0, uint8(acpi.ReadLatency), 1000, []uint32{0}, both, 80, 140),
		build.Locality(0, uint8(acpi.AccessLatency), 1000, []uint32{0, 9, 5}, both, 1, 2, 150, 0xffff, 7, 7), // domain 5 is no node
		build.Locality(0, uint8(acpi.WriteLatency), 1000, both, both, 9, 9, 9, 9),
		build.Locality(1, uint8(acpi.ReadLatency), 1000, both, both, 9, 9, 9, 9),    // a cache
		build.Locality(0x20, uint8(acpi.ReadLatency), 1000, both, both, 9, 9, 9, 9), // not sequential
		build.Locality(0, uint8(acpi.AccessBandwidth), 100, both, both, 100, 50, 0, 100),
		build.Locality(0, uint8(acpi.ReadBandwidth), 1<<30, []uint32{9}, []uint32{0, 6}, 9, 3), // over 32 bits
	)
	top := topology(t, f)
	for i, want := range [][2]uint32{{80_000, 140_000}, {150_000, 0}} {
		if [2]uint32(top.ReadLatency[i][:2]) != want {
			t.Errorf("node %d: latency %v, expected %v", i, top.ReadLatency[i][:2], want)
		}
	}
	for i, want := range [][2]uint32{{10_000, 5_000}, {0, 10_000}} {
		if [2]uint32(top.ReadBandwidth[i][:2]) != want {
			t.Errorf("node %d: bandwidth %v, expected %v", i, top.ReadBandwidth[i][:2], want)
		}
	}
}

package numa

import (
	"slices"
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

var gig = []Range{{Base: 0, Limit: gib}}

func TestBuildNoTables(t *testing.T) {
	top := topology(t, firmware{ram: gig, bsp: 5})
	expectSummary(t, top, "0: domain 0, 1 CPUs, 1024 MiB, order [0]")
	if top.CPUs[0] != (CPU{APICID: 5}) || top.Distance[0][0] != 10 {
		t.Errorf("CPU %+v, distance %d", top.CPUs[0], top.Distance[0][0])
	}
}

func TestBuildNoSRAT(t *testing.T) {
	top := topology(t, firmware{madt: cpus(0, 1, 2, 3), slit: build.SLIT(2, 10, 33, 33, 10), ram: gig})
	expectSummary(t, top, "0: domain 0, 4 CPUs, 1024 MiB, order [0]")
}

func TestBuildCPUNumbers(t *testing.T) {
	madt := build.MADT(build.LocalAPIC(8, 1), build.LocalAPIC(0, 0), build.X2APIC(0x10000, 1), build.LocalAPIC(2, 1), build.LocalAPIC(4, 1))
	top := topology(t, firmware{madt: madt, ram: gig, bsp: 2})
	for cpu, id := range []uint32{2, 8, 0x10000, 4} {
		if got, ok := top.CPUOf(id); !ok || got != cpu || top.CPUs[cpu].APICID != id || top.CPUs[cpu].UID != id {
			t.Errorf("APIC ID %#x is CPU %d %v, CPU %d is %+v", id, got, ok, cpu, top.CPUs[cpu])
		}
	}
	for _, id := range []uint32{0, 3, 0x10001, 1<<32 - 1} {
		if cpu, ok := top.CPUOf(id); ok {
			t.Errorf("APIC ID %#x is CPU %d", id, cpu)
		}
	}
	if top.NCPUs != 4 {
		t.Errorf("%d CPUs", top.NCPUs)
	}
}

func TestBuildCPUFaults(t *testing.T) {
	top := topology(t, firmware{madt: cpus(1, 2, 1, 2), ram: gig, bsp: 9},
		"APIC: APIC ID 0x1 is enabled more than once: the first entry is used",
		"APIC: APIC ID 0x2 is enabled more than once: the first entry is used",
		"APIC: no enabled entry for the boot CPU, APIC ID 0x9: it is added as CPU 0")
	if top.NCPUs != 3 {
		t.Errorf("%d CPUs", top.NCPUs)
	}
	top = topology(t, firmware{madt: cpus(1, 1), ram: gig, bsp: 1}, "APIC: APIC ID 0x1 is enabled more than once: the first entry is used")
	if top.NCPUs != 1 {
		t.Errorf("%d CPUs", top.NCPUs)
	}
}

// A full MADT without the boot CPU.
func TestBuildTooManyCPUs(t *testing.T) {
	var e [][]byte
	for i := range uint32(MaxCPUs) {
		e = append(e, build.X2APIC(i, 1))
	}
	top := topology(t, firmware{madt: build.MADT(e...), ram: gig, bsp: 5000},
		"APIC: APIC ID 0x3ff exceeds the limit of 1024 CPUs: left out",
		"APIC: no enabled entry for the boot CPU, APIC ID 0x1388: it is added as CPU 0")
	if cpu, _ := top.CPUOf(MaxCPUs - 2); top.NCPUs != MaxCPUs || cpu != MaxCPUs-1 {
		t.Errorf("%d CPUs, the last is %d", top.NCPUs, cpu)
	}
	top = topology(t, firmware{madt: build.MADT(e...), ram: gig, bsp: 7})
	if cpu, _ := top.CPUOf(6); top.NCPUs != MaxCPUs || cpu != 7 {
		t.Errorf("%d CPUs, APIC ID 6 is CPU %d", top.NCPUs, cpu)
	}
}

func TestBuildSparseDomains(t *testing.T) {
	top := topology(t, firmware{
		madt: build.MADT(build.LocalAPIC(0, 1), build.X2APIC(1000, 1), build.LocalAPIC(2, 1)),
		srat: build.SRAT(3, build.CPU(0, 0xfffffffe, 1), build.X2CPU(1000, 3, 1), build.CPU(2, 70000, 1),
			build.Memory(0, gib, 0xfffffffe, 1), build.Memory(gib, gib, 3, 1), build.Memory(2*gib, gib, 70000, 1)),
		ram: []Range{{Base: 0, Limit: 3 * gib}},
	})
	expectSummary(t, top,
		"0: domain 3, 1 CPUs, 1024 MiB, order [0 1 2]",
		"1: domain 70000, 1 CPUs, 1024 MiB, order [1 2 0]",
		"2: domain 4294967294, 1 CPUs, 1024 MiB, order [2 0 1]")
	if top.CPUs[0].Node != 2 || top.CPUs[1].Node != 0 || top.CPUs[2].Node != 1 {
		t.Errorf("CPUs %+v", top.CPUs[:3])
	}
	if top.Distance[0][0] != 10 || top.Distance[0][1] != 20 || top.Distance[2][0] != 20 {
		t.Errorf("distances %v", top.Distance[0][:3])
	}
}

func TestBuildMemorylessAndCPUless(t *testing.T) {
	top := topology(t, firmware{
		madt: cpus(0, 1, 2),
		srat: build.SRAT(3, build.CPU(0, 0, 1), build.CPU(1, 1, 1), build.CPU(2, 1, 1), build.Memory(0, gib, 0, 1), build.Memory(gib, gib, 2, 1)),
		slit: build.SLIT(3, 10, 11, 30, 40, 10, 30, 12, 11, 10),
		ram:  []Range{{Base: 0, Limit: 2 * gib}},
	})
	expectSummary(t, top,
		"0: domain 0, 1 CPUs, 1024 MiB, order [0 2]",
		"1: domain 1, 2 CPUs, 0 MiB, order [2 0]",
		"2: domain 2, 0 CPUs, 1024 MiB, order [2 0]")
	if !slices.Equal(top.Neighbours(0), []uint8{0, 1, 2}) || !slices.Equal(top.Neighbours(2), []uint8{2, 1, 0}) {
		t.Errorf("neighbours %v, %v", top.Neighbours(0), top.Neighbours(2))
	}
}

// Places for CPUs and memory that are not there make no nodes.
func TestBuildEmptyDomains(t *testing.T) {
	top := topology(t, firmware{
		madt: cpus(0, 1),
		srat: build.SRAT(3, build.CPU(0, 1, 1), build.CPU(1, 1, 1), build.CPU(2, 2, 1), build.CPU(3, 3, 0),
			build.Memory(0, gib, 1, 1), build.Memory(4*gib, gib, 4, 3), build.Memory(8*gib, gib, 5, 1), build.Memory(0, gib, 6, 5),
			build.Memory(gib, gib, 7, 1), build.Memory(0, mib, 8, 1)), // they touch RAM
		ram: []Range{{Base: mib, Limit: gib}},
	})
	expectSummary(t, top, "0: domain 1, 2 CPUs, 1023 MiB, order [0]")
}

func TestBuildCPUWithoutDomain(t *testing.T) {
	top := topology(t, firmware{
		madt: cpus(0, 1, 2, 3),
		srat: build.SRAT(3, build.CPU(0, 7, 1), build.CPU(2, 8, 1), build.CPU(2, 7, 1), build.CPU(2, 8, 1), build.Memory(0, gib, 7, 1)),
		ram:  gig,
	}, "SRAT: APIC ID 0x2 is in domain 8 and again in domain 7: the first is used",
		"SRAT: 2 CPUs have no entry, the first is APIC ID 0x1: node 0 is assumed")
	expectSummary(t, top, "0: domain 7, 3 CPUs, 1024 MiB, order [0]", "1: domain 8, 1 CPUs, 0 MiB, order [0]")
}

func TestBuild64Nodes(t *testing.T) {
	var madt, srat [][]byte
	for i := range uint32(66) {
		madt = append(madt, build.LocalAPIC(uint8(i), 1))
		srat = append(srat, build.CPU(uint8(i), 5*i, 1), build.Memory(uint64(i)*gib, gib, 5*i, 1))
	}
	f := firmware{madt: build.MADT(madt[:64]...), srat: build.SRAT(3, srat[:128]...), ram: []Range{{Base: 0, Limit: 64 * gib}}}
	top := topology(t, f)
	for n := range 64 {
		if d := top.Nodes[n]; d != (Node{uint32(5 * n), 1, gib}) || len(top.Order(n)) != 64 || top.Order(n)[1] != uint8((n+1)%64) {
			t.Fatalf("node %d: %+v, order %v", n, d, top.Order(n))
		}
	}
	f = firmware{madt: build.MADT(madt...), srat: build.SRAT(3, srat...), ram: []Range{{Base: 0, Limit: 66 * gib}}}
	top = topology(t, f,
		"SRAT: domain 320 exceeds the limit of 64 nodes: its CPUs go to node 0, its memory to the node below it",
		"SRAT: domain 325 exceeds the limit of 64 nodes: its CPUs go to node 0, its memory to the node below it",
		"SRAT: domain 320 exceeds the limit of 64 nodes: its CPUs go to node 0, its memory to the node below it",
		"SRAT: domain 325 exceeds the limit of 64 nodes: its CPUs go to node 0, its memory to the node below it",
		"SRAT: 2147483648 bytes of RAM, the first at 0x1000000000, have no entry: they go to the node of the range below")
	if top.Nodes[0].CPUs != 3 || top.Nodes[63].Bytes != 3*gib {
		t.Errorf("node 0 %+v, node 63 %+v", top.Nodes[0], top.Nodes[63])
	}
}

func TestBuildAllocatesNothing(t *testing.T) {
	a := load(t, "q35-asymmetric")
	var top Topology
	ram := []Range{{Base: 0, Limit: gib}}
	if n := testing.AllocsPerRun(10, func() {
		top.Build(&a.madt, &a.srat, &a.slit, nil, ram, 0, &a.report)
		top.NodeOf(mib)
		top.CPUOf(1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package numa

import (
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

// Four sockets of two nodes each: 64 CPUs, node 0's memory cut by the holes below 1 MiB and 4 GiB, two kinds of links.
func TestBuildEightNodes(t *testing.T) {
	var madt, srat [][]byte
	srat = append(srat, build.Memory(0, 0xa0000, 0, 1), build.Memory(mib, 0xb7f00000, 0, 1), build.Memory(4*gib, 8*gib, 0, 1))
	ram := []Range{{Base: 0, Limit: 0x9d400}, {Base: mib, Limit: 0xb7e70000}, {Base: 4 * gib, Limit: 68 * gib}}
	for n := range uint32(8) {
		if n > 0 {
			srat = append(srat, build.Memory(uint64(4+8*n)*gib, 8*gib, n, 1))
		}
		for c := range uint8(8) {
			id := 0x20 + 8*uint8(n) + c // firmware moved them to make room for the I/O APICs
			madt = append(madt, build.LocalAPIC(id, 1))
			srat = append(srat, build.CPU(id, n, 1))
		}
	}
	top := topology(t, firmware{
		madt: build.MADT(madt...), srat: build.SRAT(2, srat...), ram: ram, bsp: 0x20,
		slit: build.SLIT(8,
			10, 16, 16, 22, 16, 22, 16, 22,
			16, 10, 22, 16, 22, 16, 22, 16,
			16, 22, 10, 16, 16, 22, 16, 22,
			22, 16, 16, 10, 22, 16, 22, 16,
			16, 22, 16, 22, 10, 16, 16, 22,
			22, 16, 22, 16, 16, 10, 22, 16,
			16, 22, 16, 22, 16, 22, 10, 16,
			22, 16, 22, 16, 22, 16, 16, 10),
	})
	expectSummary(t, top,
		"0: domain 0, 8 CPUs, 11134 MiB, order [0 1 2 4 6 3 5 7]",
		"1: domain 1, 8 CPUs, 8192 MiB, order [1 3 5 7 0 2 4 6]",
		"2: domain 2, 8 CPUs, 8192 MiB, order [2 3 4 6 0 5 7 1]",
		"3: domain 3, 8 CPUs, 8192 MiB, order [3 5 7 1 2 4 6 0]",
		"4: domain 4, 8 CPUs, 8192 MiB, order [4 5 6 0 2 7 1 3]",
		"5: domain 5, 8 CPUs, 8192 MiB, order [5 7 1 3 4 6 0 2]",
		"6: domain 6, 8 CPUs, 8192 MiB, order [6 7 0 2 4 1 3 5]",
		"7: domain 7, 8 CPUs, 8192 MiB, order [7 1 3 5 6 0 2 4]")
	for cpu := range 64 {
		if got := top.CPUs[cpu]; got.APICID != uint32(0x20+cpu) || int(got.Node) != cpu/8 {
			t.Errorf("CPU %d: %+v", cpu, got)
		}
	}
}

// A desktop's firmware, written for a server: thousands of bytes of entries that are disabled, and domains of nothing.
func TestBuildDisabledEntries(t *testing.T) {
	var madt, srat [][]byte
	for i := range uint8(192) {
		enabled := uint32(0)
		if i < 12 {
			enabled = 1
		}
		madt = append(madt, build.LocalAPIC(i, enabled))
		srat = append(srat, build.CPU(i, uint32(i)/48, enabled))
	}
	srat = append(srat, build.Memory(0, 3*gib, 0, 1), build.Memory(4*gib, 61*gib, 0, 1))
	for range 31 {
		srat = append(srat, build.Memory(0, 0, 0, 0))
	}
	b := build.SRAT(3, srat...)
	if len(b) != 4440 {
		t.Fatalf("%d bytes", len(b))
	}
	top := topology(t, firmware{madt: build.MADT(madt...), srat: b, slit: build.SLIT(1, 10),
		ram: []Range{{Base: mib, Limit: 3*gib - 64*mib}, {Base: 4 * gib, Limit: 65 * gib}}})
	expectSummary(t, top, "0: domain 0, 12 CPUs, 65471 MiB, order [0]")
}

// APIC IDs beyond 8 bits, in both tables, as on machines of more than 255 CPUs.
func TestBuildX2APIC(t *testing.T) {
	var madt, srat [][]byte
	const n = 512
	for i := range uint32(n) {
		id, domain := i*4, i/256
		if id < 255 { // these have entries of the old kind
			madt = append(madt, build.LocalAPIC(uint8(id), 1))
			srat = append(srat, build.CPU(uint8(id), domain, 1))
			continue
		}
		madt = append(madt, build.X2APIC(id, 1))
		srat = append(srat, build.X2CPU(id, domain, 1))
	}
	srat = append(srat, build.Memory(0, gib, 0, 1), build.Memory(gib, gib, 1, 1))
	top := topology(t, firmware{madt: build.MADT(madt...), srat: build.SRAT(3, srat...), ram: []Range{{Base: 0, Limit: 2 * gib}}, bsp: 1024})
	expectSummary(t, top, "0: domain 0, 256 CPUs, 1024 MiB, order [0 1]", "1: domain 1, 256 CPUs, 1024 MiB, order [1 0]")
	if top.CPUs[0] != (CPU{1024, 1024, 1}) || top.CPUs[n-1] != (CPU{4 * (n - 1), 4 * (n - 1), 1}) {
		t.Errorf("CPU 0 %+v, last %+v", top.CPUs[0], top.CPUs[n-1])
	}
}

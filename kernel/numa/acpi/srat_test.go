package acpi

import (
	"slices"
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func TestSRAT(t *testing.T) {
	s := parse(t, ParseSRAT, build.SRAT(3,
		build.CPU(1, 0x123456, 1), build.CPU(2, 0, 0), build.X2CPU(0x54321, 0xfedcba98, 1), build.X2CPU(3, 0, 0),
		build.Memory(0, 0xa0000, 7, 1),
		build.Memory(0x100000, 0x100000, 7, 0),             // disabled
		build.Memory(0x1_0000_0000, 0x1000, 1<<31, 3),      // hot-pluggable
		build.Memory(0x2_0000_0000, 0x1000, 7, 5),          // non-volatile
		build.Memory(0, 0, 7, 1),                           // empty
		build.Memory(^uint64(0)-0xfff, 0xfff, 8, 1),        // up to the last byte but one
		build.Bytes(uint8(5), uint8(32), make([]byte, 30)), // generic initiator
		build.Bytes(uint8(3), uint8(18), make([]byte, 16)), // GICC
	), nil)
	cpus := []ProcessorAffinity{{1, 0x123456}, {0x54321, 0xfedcba98}}
	mem := []MemoryAffinity{{0, 0xa0000, 7, false}, {0x1_0000_0000, 0x1_0000_1000, 1 << 31, true}, {^uint64(0) - 0xfff, ^uint64(0), 8, false}}
	if !slices.Equal(s.CPUs[:s.NCPUs], cpus) || !slices.Equal(s.Memory[:s.NMemory], mem) {
		t.Errorf("CPUs %v, memory %v", s.CPUs[:s.NCPUs], s.Memory[:s.NMemory])
	}
}

// ACPI 2.0's reserved bytes may hold anything.
func TestSRATRevision1(t *testing.T) {
	s := parse(t, ParseSRAT, build.SRAT(1, build.CPU(1, 0xabcd02, 1), build.X2CPU(2, 0xff01, 1), build.Memory(0, 1, 0x55000003, 1)), nil)
	if s.CPUs[0].Domain != 2 || s.CPUs[1].Domain != 1 || s.Memory[0].Domain != 3 {
		t.Errorf("domains %#x, %#x, %#x", s.CPUs[0].Domain, s.CPUs[1].Domain, s.Memory[0].Domain)
	}
}

func TestSRATFaults(t *testing.T) {
	good := build.CPU(1, 0, 1)
	for name, c := range map[string]struct {
		b    []byte
		cpus int
		want []string
	}{
		"entry of length 0":  {build.SRAT(3, good, []byte{1, 0}, good), 1, []string{"SRAT: entry at 0x40 has length 0, expected 2 or more: rest of the table ignored"}},
		"entry past the end": {build.SRAT(3, good, []byte{0, 16, 1}), 1, []string{"SRAT: entry at 0x40 has length 16, expected at most the 3 left: rest of the table ignored"}},
		"short CPU":          {build.SRAT(3, []byte{0, 3, 0}, good), 1, []string{"SRAT: entry at 0x30 of type 0 has length 3, expected 16 or more: entry ignored"}},
		"short x2APIC":       {build.SRAT(3, []byte{2, 3, 0}, good), 1, []string{"SRAT: entry at 0x30 of type 2 has length 3, expected 24 or more: entry ignored"}},
		"short memory":       {build.SRAT(3, []byte{1, 3, 0}, good), 1, []string{"SRAT: entry at 0x30 of type 1 has length 3, expected 40 or more: entry ignored"}},
		"memory wraps":       {build.SRAT(3, build.Memory(^uint64(0), 2, 0, 1), good), 1, []string{"SRAT: memory entry at 0x30 has base 0xffffffffffffffff and length 0x2, expected an end below 2^64: entry ignored"}},
		"header only":        {cut(build.SRAT(3), 12), 0, []string{"SRAT: table has length 36, expected 48 or more: table left out"}},
	} {
		t.Run(name, func(t *testing.T) {
			if s := parse(t, ParseSRAT, c.b, c.want); s.NCPUs != c.cpus || s.NMemory != 0 {
				t.Errorf("%d CPUs, %d ranges", s.NCPUs, s.NMemory)
			}
		})
	}
}

// Each kind has a limit, and what exceeds it is left out.
func TestLimits(t *testing.T) {
	var cpus, affinity, memory [][]byte
	for i := range uint32(MaxCPUs + 2) {
		cpus = append(cpus, build.X2APIC(i, 1))
		affinity = append(affinity, build.X2CPU(i, 0, 1))
		memory = append(memory, build.Memory(uint64(i)<<20, 1<<20, i, 1))
	}
	m := parse(t, ParseMADT, build.MADT(cpus...), []string{
		"APIC: entry at 0x402c of type 9 exceeds the limit of 1024 of its kind: entry ignored",
		"APIC: entry at 0x403c of type 9 exceeds the limit of 1024 of its kind: entry ignored"})
	s := parse(t, ParseSRAT, build.SRAT(3, affinity[:MaxCPUs+1]...), []string{
		"SRAT: entry at 0x6030 of type 2 exceeds the limit of 1024 of its kind: entry ignored"})
	p := parse(t, ParseSRAT, build.SRAT(3, memory[:MaxMemory+1]...), []string{
		"SRAT: entry at 0x5030 of type 1 exceeds the limit of 512 of its kind: entry ignored"})
	if m.NCPUs != MaxCPUs || s.NCPUs != MaxCPUs || p.NMemory != MaxMemory {
		t.Errorf("%d and %d CPUs, %d ranges", m.NCPUs, s.NCPUs, p.NMemory)
	}
}

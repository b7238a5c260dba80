package acpi

import (
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func TestMADT(t *testing.T) {
	b := build.MADT(
		build.LocalAPIC(0, 1), build.LocalAPIC(2, 0), build.LocalAPIC(4, 2), build.LocalAPIC(6, 3),
		build.Bytes(uint8(0), uint8(8), uint8(9), uint8(7), uint32(1)), // UID 9, APIC ID 7
		build.X2APIC(0x12345, 1), build.X2APIC(0x100, 0), build.X2APIC(0x200, 2),
		build.Bytes(uint8(1), uint8(12), uint8(5), uint8(0), uint32(0xfec00000), uint32(24)),
		build.Bytes(uint8(2), uint8(10), uint8(0), uint8(0), uint32(2), uint16(0)),
		build.Bytes(uint8(2), uint8(10), uint8(0), uint8(9), uint32(20), uint16(0xf)),
		build.Bytes(uint8(3), uint8(8), uint16(5), uint32(30)),
		build.Bytes(uint8(4), uint8(6), uint8(0xff), uint16(5), uint8(1)),
		build.Bytes(uint8(4), uint8(6), uint8(3), uint16(13), uint8(0)),
		build.Bytes(uint8(10), uint8(12), uint16(5), uint32(0x12345), uint8(1), uint8(0), uint16(0)),
		build.Bytes(uint8(5), uint8(12), uint16(0), uint64(0x1_fee0_0000)),
		build.Bytes(uint8(0x80), uint8(4), uint16(0xffff)),                                  // a vendor's own
		append(build.Bytes(uint8(0), uint8(12), uint8(8), uint8(8), uint32(1)), 1, 2, 3, 4), // longer than we know
	)
	var m MADT
	var r Report
	if !ParseMADT(b, &m, &r) {
		t.Error("not taken")
	}
	expect(t, &r)
	want := []Processor{{0, 0}, {6, 6}, {7, 9}, {0x12345, 0x12345}, {8, 8}}
	if m.NCPUs != len(want) || [5]Processor(m.CPUs[:5]) != [5]Processor(want) || m.Disabled != 2 || m.Hotplug != 2 {
		t.Errorf("%d CPUs %v, %d disabled, %d hotplug", m.NCPUs, m.CPUs[:5], m.Disabled, m.Hotplug)
	}
	if m.LocalAPIC != 0x1_fee0_0000 || !m.PCAT {
		t.Errorf("local APIC %#x, PCAT %v", m.LocalAPIC, m.PCAT)
	}
	if m.NIOAPICs != 1 || m.IOAPICs[0] != (IOAPIC{5, 0xfec00000, 24}) || m.NNMIs != 1 || m.NMIs[0] != (NMI{30, 5}) {
		t.Errorf("I/O APICs %v, NMIs %v", m.IOAPICs[:2], m.NMIs[:2])
	}
	if m.NLocalNMIs != 3 || m.LocalNMIs[0] != (LocalNMI{AllCPUs, 5, 1}) || m.LocalNMIs[1] != (LocalNMI{3, 13, 0}) || m.LocalNMIs[2] != (LocalNMI{0x12345, 5, 1}) {
		t.Errorf("local NMIs %v", m.LocalNMIs[:4])
	}
	for irq, want := range map[uint8]struct {
		gsi        uint32
		low, level bool
	}{0: {2, false, false}, 1: {1, false, false}, 9: {20, true, true}} {
		if gsi, low, level := m.ISA(irq); gsi != want.gsi || low != want.low || level != want.level {
			t.Errorf("IRQ %d: %d %v %v", irq, gsi, low, level)
		}
	}
}

func TestINTI(t *testing.T) {
	for f, want := range map[INTI][4]bool{ // low and level, by a bus that is false or true in both
		0x0: {false, true, false, true}, 0x5: {false, false, false, false}, 0xf: {true, true, true, true},
		0xd: {false, false, true, true}, 0x3: {true, true, false, true},
	} {
		if got := [4]bool{f.ActiveLow(false), f.ActiveLow(true), f.Level(false), f.Level(true)}; got != want {
			t.Errorf("%#x: %v, expected %v", f, got, want)
		}
	}
}

func TestMADTFaults(t *testing.T) {
	good := build.LocalAPIC(1, 1)
	for name, c := range map[string]struct {
		b    []byte
		cpus int
		want []string
	}{
		"entry of length 0":  {build.MADT(good, []byte{0, 0}, good), 1, []string{"APIC: entry at 0x34 has length 0, expected 2 or more: rest of the table ignored"}},
		"entry of length 1":  {build.MADT(good, []byte{1, 1}, good), 1, []string{"APIC: entry at 0x34 has length 1, expected 2 or more: rest of the table ignored"}},
		"a byte short":       {build.MADT([]byte{0, 7, 1, 2, 1, 0, 0}, good), 1, []string{"APIC: entry at 0x2c of type 0 has length 7, expected 8 or more: entry ignored"}},
		"a byte past":        {build.MADT(good, []byte{0, 9, 1, 2, 1, 0, 0, 0}), 1, []string{"APIC: entry at 0x34 has length 9, expected at most the 8 left: rest of the table ignored"}},
		"one byte left":      {build.MADT(good, []byte{0}), 1, []string{"APIC: 1 byte left at 0x34, expected an entry of 2 or more: ignored"}},
		"short entry":        {build.MADT([]byte{0, 4, 0, 0}, good), 1, []string{"APIC: entry at 0x2c of type 0 has length 4, expected 8 or more: entry ignored"}},
		"broadcast ID":       {build.MADT(build.LocalAPIC(255, 1), build.X2APIC(255, 1), good), 2, []string{"APIC: entry at 0x2c enables APIC ID 0xff, which means all CPUs: entry ignored"}},
		"disabled broadcast": {build.MADT(build.LocalAPIC(255, 0), build.X2APIC(1<<32-1, 0), good), 1, nil},
		"x2APIC broadcast":   {build.MADT(build.X2APIC(1<<32-1, 1), good), 1, []string{"APIC: entry at 0x2c enables APIC ID 0xffffffff, which means all CPUs: entry ignored"}},
		"override of a bus":  {build.MADT(build.Bytes(uint8(2), uint8(10), uint8(1), uint8(0), uint32(2), uint16(0))), 0, []string{"APIC: override at 0x2c is for bus 1, expected 0 (ISA): entry ignored"}},
		"override of IRQ 16": {build.MADT(build.Bytes(uint8(2), uint8(10), uint8(0), uint8(16), uint32(2), uint16(0))), 0, []string{"APIC: override at 0x2c is for IRQ 16, expected 0 to 15: entry ignored"}},
		"local APIC at 0":    {with(build.MADT(good), 36, 0, 0, 0, 0), 1, []string{"APIC: local APIC address at 0x24 is 0, expected an address: 0xfee00000 used"}},
		"no entries":         {build.MADT(), 0, nil},
		"header only":        {cut(build.MADT(), 8), 0, []string{"APIC: table has length 36, expected 44 or more: table left out"}},
		"another table":      {build.SRAT(3), 0, []string{"APIC: signature is SRAT, expected APIC: table left out"}},
		"nothing":            {nil, 0, []string{"APIC: 0 bytes are there, expected 36: table left out"}},
		"truncated":          {build.MADT(good)[:51], 0, []string{"APIC: 51 bytes are there, expected 52: table left out"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := parse(t, ParseMADT, c.b, c.want)
			if m.NCPUs != c.cpus {
				t.Errorf("%d CPUs, expected %d", m.NCPUs, c.cpus)
			}
		})
	}
}

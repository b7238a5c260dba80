package acpi

import (
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func TestHPET(t *testing.T) {
	table := func(space uint8, addr uint64) []byte {
		return build.Table("HPET", 1, build.Bytes(uint32(0x8086a201), space, uint8(64), uint8(0), uint8(0), addr, uint8(3), uint16(100), uint8(0)))
	}
	if h := parse(t, ParseHPET, table(0, 0xfed00000), nil); *h != (HPET{Addr: 0xfed00000, MinTick: 100, Number: 3}) {
		t.Errorf("%+v", *h)
	}
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{table(1, 0xfed00000), "HPET: HPET in address space 1 at 0xfed00000, expected memory (0): not used"},
		{table(0, 0), "HPET: HPET in address space 0 at 0x0, expected memory (0): not used"},
		{cut(table(0, 1), 1), "HPET: table has length 55, expected 56 or more: table left out"},
	} {
		if h := parse(t, ParseHPET, c.b, []string{c.want}); h.Addr != 0 {
			t.Errorf("%+v", *h)
		}
	}
}

func TestMCFG(t *testing.T) {
	entry := func(base uint64, segment uint16, first, last uint8) []byte {
		return build.Bytes(base, segment, first, last, uint32(0))
	}
	m := parse(t, ParseMCFG, build.Table("MCFG", 1, make([]byte, 8), entry(0xb0000000, 0, 0, 255), entry(0, 1, 9, 8), entry(1<<40, 2, 8, 8), []byte{1}), []string{
		"MCFG: entry at 0x3c has buses 9 to 8, expected a rising range: entry ignored",
		"MCFG: 1 bytes left after the last whole entry of 16: ignored"})
	if m.N != 2 || m.ECAM[0] != (ECAM{0xb0000000, 0, 0, 255}) || m.ECAM[1] != (ECAM{1 << 40, 2, 8, 8}) {
		t.Errorf("%+v", *m)
	}
	var many [][]byte
	for range MaxECAM + 1 {
		many = append(many, entry(1<<32, 0, 0, 0))
	}
	m = parse(t, ParseMCFG, build.Table("MCFG", 1, append([][]byte{make([]byte, 8)}, many...)...), []string{
		"MCFG: entry at 0x12c of type 0 exceeds the limit of 16 of its kind: entry ignored"})
	if m.N != MaxECAM {
		t.Errorf("%d entries", m.N)
	}
}

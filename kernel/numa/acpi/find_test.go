package acpi

import (
	"slices"
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func memory() build.Image {
	return build.Image{
		0xf5000:     build.RSDP(2, 0x10000, 0x120000000),
		0x10000:     build.RSDT(0x20000),
		0x120000000: build.XSDT(0x20000, 0x120001000, 0x30000),
		0x20000:     build.MADT(build.LocalAPIC(0, 1)),
		0x120001000: build.SRAT(3, build.CPU(0, 0, 1)),
		0x30000:     build.Table("ZZZZ", 1),
	}
}

func find(m build.Image, rsdp uint64) (bool, *Tables, *Report) {
	var t Tables
	var r Report
	ok := Find(m.Read, rsdp, &t, &r)
	return ok, &t, &r
}

func TestFindPrefersXSDT(t *testing.T) {
	ok, tables, r := find(memory(), 0xf5000)
	expect(t, r)
	if !ok || tables.RSDP != 0xf5000 || tables.Root != 0x120000000 || tables.MADT.Addr != 0x20000 || tables.SRAT.Addr != 0x120001000 {
		t.Errorf("found %v %+v", ok, tables)
	}
	if tables.SLIT.Data != nil || tables.SLIT.Addr != 0 {
		t.Error("found a SLIT that is not there")
	}
}

func TestFindRoot(t *testing.T) {
	const bad = "RSDP: no sound root pointer at 0xf5000, where the boot loader has it: low memory searched"
	const missing = "RSDP: no root pointer in the EBDA or 0xe0000 to 0xfffff: no table is used"
	flip := func(m build.Image, pa uint64, off int) { m[pa] = slices.Clone(m[pa]); m[pa][off] ^= 1 }
	for name, c := range map[string]struct {
		change func(m build.Image)
		rsdp   uint64
		root   uint64
		want   []string
	}{
		"revision 0 uses the RSDT":   {func(m build.Image) { m[0xf5000] = build.RSDP(0, 0x10000, 0) }, 0xf5000, 0x10000, nil},
		"scan of the BIOS area":      {func(m build.Image) {}, 0, 0x120000000, nil},
		"scan after a wrong address": {func(m build.Image) { m[0xe0000], m[0xf5000] = m[0xf5000], make([]byte, 64) }, 0xf5000, 0x120000000, []string{bad}},
		"scan of the EBDA": {func(m build.Image) {
			m[0x40e] = []byte{0xc0, 0x9f}
			m[0x9fc00+0x3f0], m[0xf5000] = m[0xf5000], build.RSDP(0, 0, 0)
		}, 0, 0x120000000, nil},
		"the last 20 bytes of the BIOS area": {func(m build.Image) {
			m[0xfffe0] = m[0xf5000][:20]
			m[0xfffe0] = build.RSDP(0, 0x10000, 0)
			delete(m, 0xf5000)
		}, 0, 0x10000, nil},
		"scan skips an odd address":  {func(m build.Image) { m[0xf5008] = m[0xf5000]; delete(m, 0xf5000) }, 0, 0, []string{missing}},
		"scan skips a bad checksum":  {func(m build.Image) { flip(m, 0xf5000, 10) }, 0, 0, []string{missing}},
		"no memory there":            {func(m build.Image) { delete(m, 0xf5000) }, 0xf5000, 0, []string{bad, missing}},
		"bad extended checksum":      {func(m build.Image) { flip(m, 0xf5000, 34) }, 0xf5000, 0x10000, []string{"RSDP: 36 bytes of the root pointer have sum 1, expected 36 or more with sum 0: RSDT used instead of XSDT"}},
		"extended length 0":          {func(m build.Image) { flip(m, 0xf5000, 20); m[0xf5000][20] = 0 }, 0xf5000, 0x10000, []string{"RSDP: 0 bytes of the root pointer have sum 0, expected 36 or more with sum 0: RSDT used instead of XSDT"}},
		"revision 2 cut to 20 bytes": {func(m build.Image) { m[0xf5000] = m[0xf5000][:20] }, 0xf5000, 0x10000, []string{"RSDP: 0 bytes of the root pointer have sum 0, expected 36 or more with sum 0: RSDT used instead of XSDT"}},
		"XSDT checksum":              {func(m build.Image) { flip(m, 0x120000000, 36) }, 0xf5000, 0x10000, []string{"XSDT: table at 0x120000000 has byte sum 1, expected 0: table left out"}},
		"XSDT signature":             {func(m build.Image) { m[0x120000000] = build.RSDT() }, 0xf5000, 0x10000, []string{"XSDT: signature is RSDT, expected XSDT: table left out"}},
		"no root": {func(m build.Image) { delete(m, 0x120000000); delete(m, 0x10000) }, 0xf5000, 0, []string{
			"XSDT: table at 0x120000000 with length 36 is not in memory: table left out",
			"RSDT: table at 0x10000 with length 36 is not in memory: table left out",
			"RSDP: no sound XSDT or RSDT under the root pointer at 0xf5000: no table is used"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := memory()
			c.change(m)
			ok, tables, r := find(m, c.rsdp)
			expect(t, r, c.want...)
			if tables.Root != c.root || ok != (c.root != 0) {
				t.Errorf("found %v, root %#x, expected %#x", ok, tables.Root, c.root)
			}
			if c.root != 0 && tables.MADT.Addr != 0x20000 {
				t.Errorf("MADT at %#x", tables.MADT.Addr)
			}
		})
	}
}

func TestFindTables(t *testing.T) {
	m := build.Image{
		0x1000: build.RSDP(2, 0, 0x2000),
		0x2000: with(append(build.XSDT(0x3000, 0, 0x4000, 0x5000, 0x6000, 0x7000, 0x8000, 0x9000), 1, 2, 3), 4, 36+8*8+3),
		0x3000: build.MADT(),
		0x4000: build.MADT(build.LocalAPIC(0, 1)),  // second
		0x5000: with(build.SRAT(3), 4, 20),         // length below a header's
		0x6000: append(build.SLIT(1, 10)[:44], 11), // checksum
		0x7000: build.HMAT(2)[:38],                 // memory ends before it does
		0x8000: build.FADT(0xa000, 0),
		// 0x9000 is not memory
		0xa000: build.Table("DSDT", 2, []byte{0, 1, 2}),
	}
	_, tables, r := find(m, 0x1000)
	expect(t, r,
		"XSDT: entry at 0x2c is a null pointer, expected a table: entry ignored",
		"APIC: a second table at 0x4000, expected one: the first at 0x3000 is used",
		"SRAT: table has length 20, expected 36 or more: table left out",
		"SLIT: table at 0x6000 has byte sum 1, expected 0: table left out",
		"HMAT: table at 0x7000 with length 40 is not in memory: table left out",
		"XSDT: table at 0x9000 with length 36 is not in memory: table left out",
		"XSDT: 3 bytes left after the last whole entry of 8: ignored")
	if tables.MADT.Addr != 0x3000 || tables.SRAT.Data != nil || tables.SLIT.Data != nil || tables.HMAT.Data != nil ||
		len(tables.FADT.Data) != 276 || tables.DSDT.Addr != 0xa000 || len(tables.DSDT.Data) != 39 {
		t.Errorf("%+v", tables)
	}
}

func TestFindDSDTPrefersExtendedAddress(t *testing.T) {
	m := build.Image{
		0x1000: build.RSDP(0, 0x2000, 0), 0x2000: build.RSDT(0x8000), 0x8000: build.FADT(0xa000, 0x1_0000_0000),
		0xa000: build.Table("DSDT", 1), 0x1_0000_0000: build.Table("DSDT", 2),
	}
	_, tables, r := find(m, 0x1000)
	expect(t, r)
	if tables.DSDT.Addr != 0x1_0000_0000 {
		t.Errorf("DSDT at %#x", tables.DSDT.Addr)
	}
}

// A bad table does not hide a second, sound one.
func TestFindSecondAfterBad(t *testing.T) {
	bad := build.MADT()
	bad[40] ^= 1
	m := build.Image{0x1000: build.RSDP(0, 0x2000, 0), 0x2000: build.RSDT(0x3000, 0x4000), 0x3000: bad, 0x4000: build.MADT()}
	_, tables, r := find(m, 0x1000)
	if tables.MADT.Addr != 0x4000 || r.N != 1 {
		t.Errorf("MADT at %#x, %d problems", tables.MADT.Addr, r.N)
	}
}

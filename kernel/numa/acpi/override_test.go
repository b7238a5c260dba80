package acpi

import (
	"slices"
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func TestOverride(t *testing.T) {
	const at = 0x5000
	sound := build.MADT(build.LocalAPIC(0, 1), build.LocalAPIC(9, 1))
	for name, c := range map[string]struct {
		file []byte
		want string // "": it replaces
		sig  string
	}{
		"sound":                   {sound, "", "APIC"},
		"with bytes after it":     {append(slices.Clone(sound), 1, 2, 3), "", "APIC"},
		"the firmware has none":   {build.SLIT(1, 10), "", "SLIT"},
		"DSDT":                    {build.Table("DSDT", 2), "", "DSDT"},
		"empty":                   {nil, "????: 0 bytes are there, expected 36: table left out", ""},
		"less than a header":      {sound[:35], "????: 35 bytes are there, expected 36: table left out", ""},
		"truncated":               {sound[:len(sound)-1], "APIC: 59 bytes are there, expected 60: table left out", "APIC"},
		"length below a header's": {with(sound, 4, 35), "APIC: table has length 35, expected 36 or more: table left out", "APIC"},
		"checksum":                {append(slices.Clone(sound[:59]), 4), "APIC: table at 0x5000 has byte sum 4, expected 0: table left out", "APIC"},
		"unknown":                 {build.Table("ZZZZ", 1), "ZZZZ: no table of this name, of the file at 0x5000, is in use, expected one that is: file ignored", "ZZZZ"},
		"root table":              {build.XSDT(0x20000), "XSDT: no table of this name, of the file at 0x5000, is in use, expected one that is: file ignored", "XSDT"},
	} {
		t.Run(name, func(t *testing.T) {
			m := memory()
			m[at] = append(slices.Clone(c.file), make([]byte, 64)...) // the file is not the end of memory
			_, tables, r := find(m, 0xf5000)
			sig, ok := tables.Override(m.Read, at, uint64(len(c.file)), r)
			if ok != (c.want == "") || ok && sig.String() != c.sig {
				t.Errorf("replaced %v, %q", ok, sig.String())
			}
			if !ok {
				expect(t, r, c.want)
				if tables.MADT.Addr != 0x20000 {
					t.Errorf("MADT at %#x: the firmware's is gone", tables.MADT.Addr)
				}
				return
			}
			expect(t, r)
			slot := tables.slot(sig)
			if sig == sigDSDT {
				slot = &tables.DSDT
			}
			if slot.Addr != at || len(slot.Data) != int(le32(c.file, 4)) {
				t.Errorf("table at %#x of %d bytes", slot.Addr, len(slot.Data))
			}
		})
	}
}

// A machine whose firmware has no root pointer at all lives on the tables that it is given.
func TestOverrideWithoutRoot(t *testing.T) {
	m := build.Image{0x5000: build.MADT(), 0x6000: build.FADT(0xa000, 0), 0xa000: build.Table("DSDT", 2)}
	ok, tables, r := find(m, 0)
	*r = Report{}
	for _, pa := range []uint64{0x5000, 0x6000} {
		if _, took := tables.Override(m.Read, pa, uint64(len(m[pa])), r); ok || !took {
			t.Errorf("root %v; table at %#x taken: %v", ok, pa, took)
		}
	}
	expect(t, r)
	if tables.MADT.Addr != 0x5000 || tables.DSDT.Addr != 0xa000 {
		t.Errorf("%+v", tables)
	}
}

// The DSDT of sound firmware stays, whatever a replaced FADT says.
func TestOverrideFADTKeepsDSDT(t *testing.T) {
	m := build.Image{0x1000: build.RSDP(0, 0x2000, 0), 0x2000: build.RSDT(0x8000), 0x8000: build.FADT(0xa000, 0),
		0x9000: build.FADT(0xb000, 0), 0xa000: build.Table("DSDT", 2), 0xb000: build.Table("DSDT", 2)}
	_, tables, r := find(m, 0x1000)
	if _, ok := tables.Override(m.Read, 0x9000, 276, r); !ok || tables.FADT.Addr != 0x9000 || tables.DSDT.Addr != 0xa000 {
		t.Errorf("replaced %v: %+v", ok, tables)
	}
	expect(t, r)
}

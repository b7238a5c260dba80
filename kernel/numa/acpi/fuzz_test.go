package acpi

import (
	"os"
	"path/filepath"
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

// seed adds the captured tables of a name.
func seed(f *testing.F, name string, more ...[]byte) {
	files, _ := filepath.Glob(filepath.Join(testdata, "*", "*-"+name+".bin"))
	if len(files) == 0 {
		f.Fatalf("no captured %s", name)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, b := range more {
		f.Add(b)
	}
}

// check fails on a report that no one could read.
func check(t *testing.T, r *Report) {
	for i := range r.All() {
		p := &r.Problems[i]
		if n := p.Format(make([]byte, MaxMessage+1)); n > MaxMessage || int(p.Code) >= len(messages) {
			t.Fatalf("problem %+v has %d bytes", *p, n)
		}
	}
}

func FuzzMADT(f *testing.F) {
	seed(f, "APIC", build.MADT(build.X2APIC(1, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m MADT
		var r Report
		ParseMADT(b, &m, &r)
		check(t, &r)
		for _, p := range m.CPUs[:m.NCPUs] {
			if p.APICID == 0xffffffff {
				t.Fatal("a CPU with every CPU's ID")
			}
		}
		m.ISA(0)
	})
}

func FuzzSRAT(f *testing.F) {
	seed(f, "SRAT", build.SRAT(1, build.X2CPU(1, 1, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s SRAT
		var r Report
		ParseSRAT(b, &s, &r)
		check(t, &r)
		for _, m := range s.Memory[:s.NMemory] {
			if m.Base >= m.Limit {
				t.Fatalf("range %#x to %#x", m.Base, m.Limit)
			}
		}
	})
}

func FuzzSLIT(f *testing.F) {
	seed(f, "SLIT")
	f.Fuzz(func(t *testing.T, b []byte) {
		var s SLIT
		var r Report
		if ParseSLIT(b, &s, &r) != (r.N == 0) {
			t.Fatal("a problem and a table, or neither")
		}
		check(t, &r)
		for i := range min(uint32(s.N)+1, 100) {
			for j := range min(uint32(s.N)+1, 100) {
				d, ok := s.Distance(i, j)
				if ok != (int(max(i, j)) < s.N) || ok && d < LocalDistance || ok && i == j && d != LocalDistance {
					t.Fatalf("distance %d to %d: %d %v", i, j, d, ok)
				}
			}
		}
	})
}

func FuzzHMAT(f *testing.F) {
	seed(f, "HMAT")
	f.Fuzz(func(t *testing.T, b []byte) {
		var h HMAT
		var r Report
		ParseHMAT(b, &h, &r)
		check(t, &r)
		for k := range h.Localities[:h.NLocalities] {
			l := &h.Localities[k]
			for i := range l.Initiators {
				l.Initiator(i)
			}
			for j := range l.Targets {
				l.Target(j)
			}
			if l.Initiators > 0 && l.Targets > 0 {
				l.Value(0, 0)
				l.Value(l.Initiators-1, l.Targets-1)
			}
		}
	})
}

func FuzzFADT(f *testing.F) {
	seed(f, "FACP")
	f.Fuzz(func(t *testing.T, b []byte) {
		var d FADT
		var r Report
		ParseFADT(b, &d, &r)
		check(t, &r)
	})
}

func FuzzS5(f *testing.F) {
	seed(f, "DSDT", build.Table("DSDT", 1, []byte("\x08_S5_\x12\x06\x04\x0a\x05\x00\x00\x00")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s SleepTypes
		var r Report
		if ParseS5(b, &s, &r) != s.Found || s.A > 7 || s.B > 7 || !s.Found && s != (SleepTypes{}) {
			t.Fatalf("%+v", s)
		}
		check(t, &r)
	})
}

func FuzzHPET(f *testing.F) {
	seed(f, "HPET")
	f.Fuzz(func(t *testing.T, b []byte) {
		var h HPET
		var r Report
		if ParseHPET(b, &h, &r) != (h.Addr != 0) {
			t.Fatalf("%+v", h)
		}
		check(t, &r)
	})
}

func FuzzMCFG(f *testing.F) {
	seed(f, "MCFG")
	f.Fuzz(func(t *testing.T, b []byte) {
		var m MCFG
		var r Report
		ParseMCFG(b, &m, &r)
		check(t, &r)
	})
}

// FuzzFind takes its input for low memory from the root pointer on.
func FuzzFind(f *testing.F) {
	image := make([]byte, 0x300)
	for off, b := range (build.Image{0: build.RSDP(2, 0xe0080, 0xe0100), 0x80: build.RSDT(0xe0180), 0x100: build.XSDT(0xe0180, 0xe0200),
		0x180: build.MADT(build.LocalAPIC(0, 1)), 0x200: build.SRAT(3, build.CPU(0, 0, 1))}) {
		copy(image[off:], b)
	}
	f.Add(image)
	f.Add(image[:0x90])
	f.Fuzz(func(t *testing.T, b []byte) {
		var a all
		a.parse(build.Image{0xe0000: b}.Read, 0xe0000)
		check(t, &a.report)
	})
}

package acpi

import (
	"os"
	"path/filepath"
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

// all is every table parsed.
type all struct {
	tables Tables
	madt   MADT
	srat   SRAT
	slit   SLIT
	hmat   HMAT
	fadt   FADT
	sleep  SleepTypes
	hpet   HPET
	mcfg   MCFG
	report Report
}

func (a *all) parse(mem Memory, rsdp uint64) {
	t, r := &a.tables, &a.report
	*r = Report{}
	Find(mem, rsdp, t, r)
	for _, p := range []struct {
		b []byte
		f func([]byte)
	}{
		{t.MADT.Data, func(b []byte) { ParseMADT(b, &a.madt, r) }},
		{t.SRAT.Data, func(b []byte) { ParseSRAT(b, &a.srat, r) }},
		{t.SLIT.Data, func(b []byte) { ParseSLIT(b, &a.slit, r) }},
		{t.HMAT.Data, func(b []byte) { ParseHMAT(b, &a.hmat, r) }},
		{t.FADT.Data, func(b []byte) { ParseFADT(b, &a.fadt, r) }},
		{t.DSDT.Data, func(b []byte) { ParseS5(b, &a.sleep, r) }},
		{t.HPET.Data, func(b []byte) { ParseHPET(b, &a.hpet, r) }},
		{t.MCFG.Data, func(b []byte) { ParseMCFG(b, &a.mcfg, r) }},
	} {
		if p.b != nil {
			p.f(p.b)
		}
	}
}

func TestQEMU(t *testing.T) {
	for name, want := range map[string]struct{ cpus, affinities, memory, localities, ecam int }{
		"pc-1cpu":        {1, 0, 0, 0, 0},
		"pc-4nodes":      {4, 4, 6, 0, 0},
		"q35-1cpu":       {1, 0, 0, 0, 1},
		"q35-2nodes":     {4, 4, 3, 0, 1},
		"q35-6gib":       {2, 2, 4, 0, 1},
		"q35-8nodes":     {16, 16, 9, 0, 1},
		"q35-memoryless": {3, 3, 3, 0, 1},
		"q35-cpuless":    {4, 4, 4, 0, 1},
		"q35-asymmetric": {3, 3, 4, 3, 1},
		"q35-hmat":       {2, 2, 3, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := build.LoadImage(filepath.Join(testdata, name))
			if err != nil || len(m) < 7 {
				t.Fatalf("%d blocks, %v", len(m), err)
			}
			var a all
			// QEMU's WAET is captured too, so that nothing is out of memory.
			a.parse(m.Read, 0)
			expect(t, &a.report)
			if a.madt.NCPUs != want.cpus || a.srat.NCPUs != want.affinities || a.srat.NMemory != want.memory ||
				a.slit.N != want.localities || a.mcfg.N != want.ecam {
				t.Errorf("%d CPUs, %d affinities, %d ranges, %d localities, %d ECAMs", a.madt.NCPUs, a.srat.NCPUs, a.srat.NMemory, a.slit.N, a.mcfg.N)
			}
			// What QEMU has on both machines: an I/O APIC, IRQ 0 on input 2, the local APIC's NMI, PM1a at 0x604, the timer at
			// 0x608, power off by sleep type 0, an HPET.
			gsi, low, level := a.madt.ISA(0)
			if a.madt.NIOAPICs != 1 || a.madt.IOAPICs[0].Addr != 0xfec00000 || gsi != 2 || low || level {
				t.Errorf("I/O APIC %+v, IRQ 0 on %d %v %v", a.madt.IOAPICs[0], gsi, low, level)
			}
			if a.madt.LocalNMIs[0] != (LocalNMI{AllCPUs, 0, 1}) || a.madt.LocalAPIC != 0xfee00000 {
				t.Errorf("local NMI %+v, local APIC %#x", a.madt.LocalNMIs[0], a.madt.LocalAPIC)
			}
			if f := &a.fadt; f.PM1aControl.Addr != 0x604 || f.PM1aControl.Space != SpaceIO || f.PM1bControl.Valid() || f.PMTimer.Addr != 0x608 || f.SCI != 9 {
				t.Errorf("FADT %+v", *f)
			}
			if want := a.fadt.Revision >= 3; a.fadt.Reset.Valid() != want || want && (a.fadt.Reset.Addr != 0xcf9 || a.fadt.ResetValue != 0xf) {
				t.Errorf("reset %+v %d", a.fadt.Reset, a.fadt.ResetValue)
			}
			if a.sleep != (SleepTypes{0, 0, true}) || a.hpet.Addr != 0xfed00000 {
				t.Errorf("sleep %+v, HPET %+v", a.sleep, a.hpet)
			}
			if a.mcfg.N == 1 && a.mcfg.ECAM[0] != (ECAM{0xb0000000, 0, 0, 255}) {
				t.Errorf("ECAM %+v", a.mcfg.ECAM[0])
			}
		})
	}
}

func TestQEMUHMAT(t *testing.T) {
	m, err := build.LoadImage(filepath.Join(testdata, "q35-hmat"))
	if err != nil {
		t.Fatal(err)
	}
	var a all
	a.parse(m.Read, 0)
	h := &a.hmat
	if h.NAttributes != 2 || h.NLocalities != 2 || h.NCaches != 1 || h.Caches[0] != (SideCache{Size: 10 << 10, Levels: 1, Level: 1, LineSize: 64}) {
		t.Fatalf("%+v", *h)
	}
	lat, bw := &h.Localities[0], &h.Localities[1]
	for j, want := range [2][2]uint64{{10_000, 2000}, {130_000, 500}} { // picoseconds, MB/s
		l, _ := lat.Value(0, j)
		b, _ := bw.Value(0, j)
		if l != want[0] || b != want[1] || lat.Target(j) != uint32(j) {
			t.Errorf("target %d: %d ps, %d MB/s, expected %v", j, l, b, want)
		}
	}
}

// TestMachines parses the tables of real machines, which have no fault. The counts were read off a dump by hand.
func TestMachines(t *testing.T) {
	dirs := build.Machines(root)
	if len(dirs) == 0 {
		t.Skip("no tables of real machines: they are sought in $PDAC_ACPI and in shared/acpi beside the repository")
	}
	type counts struct{ cpus, disabled, ioapics, affinities, memory, localities int }
	wants := map[string]counts{
		"870_Extreme3-96943D":         {3, 3, 1, 3, 3, 0},
		"All_Series-6B158A":           {12, 0, 2, 12, 2, 1},
		"H8DGU-57ED14":                {24, 8, 2, 24, 4, 4},
		"H8QG6-28567E":                {64, 0, 3, 64, 10, 8},
		"K10N78D-3E547E":              {2, 4, 1, 2, 3, 0},
		"MS-7885-A386B4":              {12, 0, 2, 12, 2, 1},
		"Precision_Tower_5810-998589": {4, 0, 2, 0, 0, 1},
		"ProLiant_DL165_G7-1979FB":    {16, 16, 2, 16, 6, 4},
		"ProLiant_DL360_G7-60DCEE":    {16, 16, 2, 16, 3, 0},
		"Super_Server-5ED617":         {6, 0, 2, 6, 2, 1},
		"TouchSmart_tx2-6909B6":       {2, 2, 1, 2, 1, 0},
		"X10DAi-4A64A6":               {40, 0, 3, 40, 5, 2},
		"X8DTN+-F-319567":             {24, 0, 2, 24, 4, 2},
		"X99-0AD635":                  {20, 0, 2, 20, 2, 1},
		"X99-UD4-CF-9CCEAD":           {12, 0, 1, 12, 2, 1},
	}
	for _, dir := range dirs {
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			// A root pointer and a root table are made for them, so that Find's checks apply.
			m := build.Image{0x1000: build.RSDP(0, 0x2000, 0)}
			var addrs []uint32
			for i, table := range []string{"APIC", "FACP", "MSCT", "SLIT", "SRAT"} {
				b, err := os.ReadFile(filepath.Join(dir, table+".bin"))
				if err != nil {
					continue
				}
				addrs = append(addrs, 0x10000*uint32(i+1))
				m[uint64(addrs[len(addrs)-1])] = b
			}
			m[0x2000] = build.RSDT(addrs...)
			var a all
			a.parse(m.Read, 0x1000)
			var rest Report
			for _, p := range a.report.All() {
				if p.Table != sigDSDT { // the collection has none
					rest.Add(p.Table, p.Code, int(p.Offset), p.Values[:]...)
				}
			}
			expect(t, &rest)
			got := counts{a.madt.NCPUs, a.madt.Disabled, a.madt.NIOAPICs, a.srat.NCPUs, a.srat.NMemory, a.slit.N}
			if want, known := wants[name]; !known {
				t.Logf("not known: %+v", got)
			} else if got != want {
				t.Errorf("%+v, expected %+v", got, want)
			}
			if !a.fadt.PM1aControl.Valid() || !a.fadt.PMTimer.Valid() || a.fadt.SCI != 9 || a.fadt.DSDT == 0 {
				t.Errorf("FADT %+v", a.fadt)
			}
		})
	}
}

// Boot runs this where nothing can be allocated.
func TestParseAllocatesNothing(t *testing.T) {
	m, err := build.LoadImage(filepath.Join(testdata, "q35-hmat"))
	if err != nil {
		t.Fatal(err)
	}
	var a all
	a.parse(m.Read, 0)
	bad := build.MADT([]byte{0, 0})
	var b [MaxMessage]byte
	rsdp := a.tables.RSDP
	read := Memory(m.Read)
	if n := testing.AllocsPerRun(10, func() {
		r := &a.report
		*r = Report{}
		Find(read, rsdp, &a.tables, r)
		ParseMADT(a.tables.MADT.Data, &a.madt, r)
		ParseSRAT(a.tables.SRAT.Data, &a.srat, r)
		ParseSLIT(a.tables.SLIT.Data, &a.slit, r)
		ParseHMAT(a.tables.HMAT.Data, &a.hmat, r)
		ParseFADT(a.tables.FADT.Data, &a.fadt, r)
		ParseS5(a.tables.DSDT.Data, &a.sleep, r)
		ParseHPET(a.tables.HPET.Data, &a.hpet, r)
		ParseMCFG(a.tables.MCFG.Data, &a.mcfg, r)
		ParseMADT(bad, &a.madt, r)
		r.Problems[0].Format(b[:])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

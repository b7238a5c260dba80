package numa

import (
	"os"
	"path/filepath"
	"testing"

	"pdac/kernel/numa/acpi"
	build "pdac/kernel/numa/acpi/acpitest"
)

var repository = filepath.Join("..", "..")

// captured is a machine's tables.
type captured struct {
	tables acpi.Tables
	madt   acpi.MADT
	srat   acpi.SRAT
	slit   acpi.SLIT
	hmat   acpi.HMAT
	report acpi.Report
}

// load reads one of QEMU's machines.
func load(t *testing.T, name string) *captured {
	t.Helper()
	m, err := build.LoadImage(filepath.Join(repository, "test", "testdata", "acpi", name))
	if err != nil {
		t.Fatal(err)
	}
	a := new(captured)
	if !acpi.Find(m.Read, 0, &a.tables, &a.report) || !acpi.ParseMADT(a.tables.MADT.Data, &a.madt, &a.report) {
		t.Fatalf("no tables: %v", a.report.All())
	}
	if b := a.tables.SRAT.Data; b != nil {
		acpi.ParseSRAT(b, &a.srat, &a.report)
	}
	if b := a.tables.SLIT.Data; b != nil {
		acpi.ParseSLIT(b, &a.slit, &a.report)
	}
	if b := a.tables.HMAT.Data; b != nil {
		acpi.ParseHMAT(b, &a.hmat, &a.report)
	}
	return a
}

// build builds the topology, and fails on a problem.
func (a *captured) build(t *testing.T, ram []Range) *Topology {
	t.Helper()
	var slit *acpi.SLIT
	var srat *acpi.SRAT
	var hmat *acpi.HMAT
	if a.srat.NCPUs != 0 {
		srat = &a.srat
	}
	if a.slit.N != 0 {
		slit = &a.slit
	}
	if a.hmat.NLocalities != 0 {
		hmat = &a.hmat
	}
	top := new(Topology)
	top.Build(&a.madt, srat, slit, hmat, ram, a.madt.CPUs[0].APICID, &a.report)
	for i := range a.report.All() {
		t.Error(a.report.Problems[i].String())
	}
	return top
}

// qemuRAM is the memory map of QEMU's firmware: all but the area above 0x9fc00 and 128 KiB for the tables.
func qemuRAM(low, high uint64) []Range {
	return []Range{{Base: 0, Limit: 0x9fc00}, {Base: mib, Limit: low - 128<<10}, {Base: 4 * gib, Limit: 4*gib + high}}
}

func TestBuildQEMU(t *testing.T) {
	for name, c := range map[string]struct {
		low, high uint64
		want      []string
	}{
		"pc-1cpu":  {128 * mib, 0, []string{"0: domain 0, 1 CPUs, 127 MiB, order [0]"}},
		"q35-1cpu": {128 * mib, 0, []string{"0: domain 0, 1 CPUs, 127 MiB, order [0]"}},
		"q35-2nodes": {256 * mib, 0, []string{
			"0: domain 0, 2 CPUs, 127 MiB, order [0 1]", "1: domain 1, 2 CPUs, 127 MiB, order [1 0]"}},
		"q35-6gib": {2 * gib, 4 * gib, []string{
			"0: domain 0, 1 CPUs, 3071 MiB, order [0 1]", "1: domain 1, 1 CPUs, 3072 MiB, order [1 0]"}},
		"pc-4nodes": {512 * mib, 0, []string{ // with a range for hot-plugging, which has no RAM
			"0: domain 0, 1 CPUs, 127 MiB, order [0 1 2 3]", "1: domain 1, 1 CPUs, 128 MiB, order [1 2 3 0]",
			"2: domain 2, 1 CPUs, 128 MiB, order [2 3 0 1]", "3: domain 3, 1 CPUs, 127 MiB, order [3 0 1 2]"}},
		"q35-memoryless": {256 * mib, 0, []string{
			"0: domain 0, 1 CPUs, 127 MiB, order [0 2]", "1: domain 1, 1 CPUs, 0 MiB, order [2 0]", "2: domain 2, 1 CPUs, 127 MiB, order [2 0]"}},
		"q35-cpuless": {384 * mib, 0, []string{
			"0: domain 0, 2 CPUs, 127 MiB, order [0 1 2]", "1: domain 1, 0 CPUs, 128 MiB, order [1 2 0]", "2: domain 2, 2 CPUs, 127 MiB, order [2 0 1]"}},
		"q35-asymmetric": {384 * mib, 0, []string{
			"0: domain 0, 1 CPUs, 127 MiB, order [0 1 2]", "1: domain 1, 1 CPUs, 128 MiB, order [1 0 2]", "2: domain 2, 1 CPUs, 127 MiB, order [2 0 1]"}},
		"q35-hmat": {256 * mib, 0, []string{
			"0: domain 0, 2 CPUs, 127 MiB, order [0 1]", "1: domain 1, 0 CPUs, 127 MiB, order [1 0]"}},
		"q35-8nodes": {1 * gib, 0, []string{
			"0: domain 0, 2 CPUs, 127 MiB, order [0 1 2 3 4 5 6 7]", "1: domain 1, 2 CPUs, 128 MiB, order [1 2 3 4 5 6 7 0]",
			"2: domain 2, 2 CPUs, 128 MiB, order [2 3 4 5 6 7 0 1]", "3: domain 3, 2 CPUs, 128 MiB, order [3 4 5 6 7 0 1 2]",
			"4: domain 4, 2 CPUs, 128 MiB, order [4 5 6 7 0 1 2 3]", "5: domain 5, 2 CPUs, 128 MiB, order [5 6 7 0 1 2 3 4]",
			"6: domain 6, 2 CPUs, 128 MiB, order [6 7 0 1 2 3 4 5]", "7: domain 7, 2 CPUs, 127 MiB, order [7 0 1 2 3 4 5 6]"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := load(t, name)
			top := a.build(t, qemuRAM(c.low, c.high))
			expectSummary(t, top, c.want...)
			for cpu := range top.NCPUs { // -numa node,cpus= deals them out in order
				if want := cpu * top.NNodes / top.NCPUs; name != "q35-cpuless" && name != "q35-hmat" && int(top.CPUs[cpu].Node) != want {
					t.Errorf("CPU %d is on node %d, expected %d", cpu, top.CPUs[cpu].Node, want)
				}
			}
		})
	}
}

func TestBuildQEMUHMAT(t *testing.T) {
	top := load(t, "q35-hmat").build(t, qemuRAM(256*mib, 0))
	if [2]uint32(top.ReadLatency[0][:2]) != [2]uint32{10_000, 130_000} || [2]uint32(top.ReadBandwidth[0][:2]) != [2]uint32{2000, 500} || top.ReadLatency[1][0] != 0 {
		t.Errorf("latency %v, bandwidth %v", top.ReadLatency[0][:2], top.ReadBandwidth[0][:2])
	}
}

// TestBuildMachines builds the topology of real machines. RAM is all that their SRAT names; the summaries were read off a
// dump of the tables by hand.
func TestBuildMachines(t *testing.T) {
	dirs := build.Machines(repository)
	if len(dirs) == 0 {
		t.Skip("no tables of real machines: they are sought in $PDAC_ACPI and in shared/acpi beside the repository")
	}
	wants := map[string][]string{
		"H8QG6-28567E": {
			"0: domain 0, 8 CPUs, 32767 MiB, order [0 1 2 4 6 3 5 7]", "1: domain 1, 8 CPUs, 16384 MiB, order [1 3 5 7 0 2 4 6]",
			"2: domain 2, 8 CPUs, 32768 MiB, order [2 3 4 6 0 5 7 1]", "3: domain 3, 8 CPUs, 16384 MiB, order [3 5 7 1 2 4 6 0]",
			"4: domain 4, 8 CPUs, 32768 MiB, order [4 5 6 0 2 7 1 3]", "5: domain 5, 8 CPUs, 16384 MiB, order [5 7 1 3 4 6 0 2]",
			"6: domain 6, 8 CPUs, 32768 MiB, order [6 7 0 2 4 1 3 5]", "7: domain 7, 8 CPUs, 16384 MiB, order [7 1 3 5 6 0 2 4]"},
		"H8DGU-57ED14": { // two of four nodes have no memory
			"0: domain 0, 6 CPUs, 36863 MiB, order [0 3]", "1: domain 1, 6 CPUs, 0 MiB, order [3 0]",
			"2: domain 2, 6 CPUs, 0 MiB, order [3 0]", "3: domain 3, 6 CPUs, 36864 MiB, order [3 0]"},
		"ProLiant_DL165_G7-1979FB": {
			"0: domain 0, 4 CPUs, 2047 MiB, order [0 1 2 3]", "1: domain 1, 4 CPUs, 4096 MiB, order [1 2 3 0]",
			"2: domain 2, 4 CPUs, 4096 MiB, order [2 3 0 1]", "3: domain 3, 4 CPUs, 4096 MiB, order [3 0 1 2]"},
		"X10DAi-4A64A6":               {"0: domain 0, 20 CPUs, 81920 MiB, order [0 1]", "1: domain 1, 20 CPUs, 81920 MiB, order [1 0]"},
		"X8DTN+-F-319567":             {"0: domain 0, 12 CPUs, 49151 MiB, order [0 1]", "1: domain 1, 12 CPUs, 73728 MiB, order [1 0]"},
		"ProLiant_DL360_G7-60DCEE":    {"0: domain 0, 8 CPUs, 98304 MiB, order [0 1]", "1: domain 1, 8 CPUs, 98304 MiB, order [1 0]"},
		"Precision_Tower_5810-998589": {"0: domain 0, 4 CPUs, 1024 MiB, order [0]"}, // SLIT without SRAT
	}
	for _, dir := range dirs {
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			a := new(captured)
			read := func(table string) []byte {
				b, err := os.ReadFile(filepath.Join(dir, table+".bin"))
				if err != nil {
					return nil
				}
				return b
			}
			ram := gig
			acpi.ParseMADT(read("APIC"), &a.madt, &a.report)
			if b := read("SRAT"); b != nil {
				acpi.ParseSRAT(b, &a.srat, &a.report)
				ram = nil
				for _, m := range a.srat.Memory[:a.srat.NMemory] {
					ram = append(ram, Range{Base: m.Base, Limit: m.Limit})
				}
			}
			if b := read("SLIT"); b != nil {
				acpi.ParseSLIT(b, &a.slit, &a.report)
			}
			top := a.build(t, ram)
			if want, known := wants[name]; known {
				expectSummary(t, top, want...)
			} else if top.NNodes != 1 {
				t.Errorf("%d nodes, expected one:\n%s", top.NNodes, top.summary())
			}
			if top.NCPUs != a.madt.NCPUs {
				t.Errorf("%d CPUs of %d", top.NCPUs, a.madt.NCPUs)
			}
		})
	}
}

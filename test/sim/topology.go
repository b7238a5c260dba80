package sim

import (
	"fmt"
	"os"
	"path/filepath"

	"pdac/kernel/numa"
	"pdac/kernel/numa/acpi"
	"pdac/kernel/sched"
)

// Topology is the machine's shape.
type Topology struct {
	Node     []uint8   // of each CPU
	Distance [][]uint8 // between nodes, as in a SLIT: 10 to itself
}

// Uniform is a machine whose CPUs are dealt out in blocks to nodes at distance 21 of each other.
func Uniform(cpus, nodes int) (*Topology, error) {
	if cpus < 1 || cpus > sched.MaxCPUs || nodes < 1 || nodes > min(cpus, sched.MaxNodes) {
		return nil, fmt.Errorf("sim: %d CPUs on %d nodes: 1 to %d on 1 to %d can be", cpus, nodes, sched.MaxCPUs, sched.MaxNodes)
	}
	t := &Topology{Node: make([]uint8, cpus), Distance: make([][]uint8, nodes)}
	for i := range t.Node {
		t.Node[i] = uint8(i * nodes / cpus)
	}
	for i := range t.Distance {
		t.Distance[i] = make([]uint8, nodes)
		for j := range t.Distance[i] {
			t.Distance[i][j] = 21
		}
		t.Distance[i][i] = 10
	}
	return t, nil
}

// distances returns them as the scheduler wants them.
func (t *Topology) distances() *[sched.MaxNodes][sched.MaxNodes]uint8 {
	d := new([sched.MaxNodes][sched.MaxNodes]uint8)
	for i, row := range t.Distance {
		copy(d[i][:], row)
	}
	return d
}

// FromACPI reads a machine's shape from its tables, the files APIC.bin, and SRAT.bin and SLIT.bin if it has them, as the
// guest does at boot.
func FromACPI(dir string) (*Topology, error) {
	var madt acpi.MADT
	var srat *acpi.SRAT
	var slit *acpi.SLIT
	var report acpi.Report
	b, err := os.ReadFile(filepath.Join(dir, "APIC.bin"))
	if err != nil {
		return nil, err
	}
	if !acpi.ParseMADT(b, &madt, &report) || madt.NCPUs == 0 {
		return nil, fmt.Errorf("sim: %s: no CPU in APIC.bin", dir)
	}
	ram := []numa.Range{{Base: 0, Limit: 1 << 30}} // which the SRAT's replaces: only nodes matter here
	if b, err := os.ReadFile(filepath.Join(dir, "SRAT.bin")); err == nil {
		srat = new(acpi.SRAT)
		acpi.ParseSRAT(b, srat, &report)
		ram = ram[:0]
		for _, m := range srat.Memory[:srat.NMemory] {
			ram = append(ram, numa.Range{Base: m.Base, Limit: m.Limit})
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "SLIT.bin")); err == nil {
		slit = new(acpi.SLIT)
		acpi.ParseSLIT(b, slit, &report)
	}
	top := new(numa.Topology)
	top.Build(&madt, srat, slit, nil, ram, madt.CPUs[0].APICID, &report)
	t := &Topology{Node: make([]uint8, top.NCPUs), Distance: make([][]uint8, top.NNodes)}
	for i := range t.Node {
		t.Node[i] = top.CPUs[i].Node
	}
	for i := range t.Distance {
		t.Distance[i] = append([]uint8(nil), top.Distance[i][:top.NNodes]...)
	}
	return t, nil
}

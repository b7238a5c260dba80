package numa

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pdac/kernel/numa/acpi"
	build "pdac/kernel/numa/acpi/acpitest"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

// firmware is what Build takes.
type firmware struct {
	madt, srat, slit, hmat []byte
	ram                    []Range
	bsp                    uint32
}

// topology parses the tables, builds, and fails unless the problems are exactly those.
func topology(t *testing.T, f firmware, problems ...string) *Topology {
	t.Helper()
	var (
		r    acpi.Report
		top  Topology
		madt *acpi.MADT
		srat *acpi.SRAT
		slit *acpi.SLIT
		hmat *acpi.HMAT
	)
	if m := new(acpi.MADT); f.madt != nil && acpi.ParseMADT(f.madt, m, &r) {
		madt = m
	}
	if s := new(acpi.SRAT); f.srat != nil && acpi.ParseSRAT(f.srat, s, &r) {
		srat = s
	}
	if s := new(acpi.SLIT); f.slit != nil && acpi.ParseSLIT(f.slit, s, &r) {
		slit = s
	}
	if h := new(acpi.HMAT); f.hmat != nil && acpi.ParseHMAT(f.hmat, h, &r) {
		hmat = h
	}
	top.Build(madt, srat, slit, hmat, f.ram, f.bsp, &r)
	var got []string
	for i := range r.All() {
		got = append(got, r.Problems[i].String())
	}
	if !slices.Equal(got, problems) {
		t.Errorf("problems:\n  %s\nexpected:\n  %s", strings.Join(got, "\n  "), strings.Join(problems, "\n  "))
	}
	return &top
}

// summary is the nodes, one a line.
func (t *Topology) summary() string {
	var s []string
	for n := range t.NNodes {
		d := &t.Nodes[n]
		s = append(s, fmt.Sprintf("%d: domain %d, %d CPUs, %d MiB, order %v", n, d.Domain, d.CPUs, d.Bytes>>20, t.Order(n)))
	}
	return strings.Join(s, "\n")
}

func expectSummary(t *testing.T, top *Topology, lines ...string) {
	t.Helper()
	if got, want := top.summary(), strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nexpected\n%s", got, want)
	}
}

// cpus returns MADT entries for the APIC IDs.
func cpus(ids ...uint8) []byte {
	var e [][]byte
	for _, id := range ids {
		e = append(e, build.LocalAPIC(id, 1))
	}
	return build.MADT(e...)
}

package boot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// absence is a machine with CPUs that its MADT names and that do not start: those of these APIC IDs, or else those above 3, which
// QEMU's machine of 4 CPUs has not.
type absence struct {
	madt    []uint8          // APIC IDs in table order
	domains map[uint8]uint32 // by APIC ID
	nodes   [][]int          // CPU numbers of each node that are to be found
	absent  []uint8
}

func (a absence) isAbsent(id uint8) bool { return id > 3 || slices.Contains(a.absent, id) }

// online and missing are the APIC IDs in the order of the CPU numbers: the boot CPU's, 0, then the table's order.
func (a absence) online() []int {
	ids := []int{0}
	for _, id := range a.madt {
		if id != 0 && !a.isAbsent(id) {
			ids = append(ids, int(id))
		}
	}
	return ids
}

func (a absence) missing() (ids []int) {
	for _, id := range a.madt {
		if a.isAbsent(id) {
			ids = append(ids, int(id))
		}
	}
	return ids
}

var absences = map[string]absence{
	"first":  {madt: []uint8{9, 0, 1, 2, 3}, domains: map[uint8]uint32{0: 0, 1: 0, 2: 1, 3: 1, 9: 7}, nodes: [][]int{{0, 1}, {2, 3}, {}}},
	"middle": {madt: []uint8{0, 1, 9, 2, 3}, domains: map[uint8]uint32{0: 0, 1: 0, 9: 5, 2: 8, 3: 8}, nodes: [][]int{{0, 1}, {}, {2, 3}}},
	"last":   {madt: []uint8{0, 1, 2, 3, 9}, domains: map[uint8]uint32{9: 0, 0: 1, 1: 1, 2: 2, 3: 2}, nodes: [][]int{{}, {0, 1}, {2, 3}}},
	// Where the numbers of CPUs and the places in the table differ by another amount each time, across nodes.
	"several": {madt: []uint8{9, 10, 0, 3, 11, 1, 12, 2}, domains: map[uint8]uint32{9: 0, 0: 0, 3: 1, 10: 1, 11: 0, 1: 0, 12: 2, 2: 1}, nodes: [][]int{{0, 2}, {1, 3}, {}}},
}

// A CPU that the firmware lists and that does not answer is reported and left out; the others are numbered without gaps, belong to
// their nodes, and work.
func TestAbsentCPU(t *testing.T) {
	Need(t)
	for name, a := range absences {
		t.Run(name, func(t *testing.T) {
			r := Boot(t, Options{CPUs: 4, Nodes: NoNodes, Mem: "1024M", Initrd: tables(t, true, madt(a.madt...), srat(a.domains)),
				Exec: "cpu -j; numa -j; run -j; poweroff 6"})
			r.Want(t, 6)
			a.check(t, r)
			a.checkRun(t, r)
		})
	}
}

// check compares what the console says of the CPUs.
func (a absence) check(t *testing.T, r Result) {
	t.Helper()
	online, missing := a.online(), a.missing()
	for _, id := range missing {
		if !strings.Contains(r.Output, fmt.Sprintf("cpu: APIC ID %d did not start; left out\n", id)) {
			t.Errorf("nothing is said of APIC ID %d", id)
		}
	}
	if left := strings.Count(r.Output, "did not start"); left != len(missing) {
		t.Errorf("%d CPUs were left out, want %d", left, len(missing))
	}
	if t.Failed() {
		return
	}
	var cpus cpuReport
	r.JSON(t, "cpus", &cpus)
	if len(cpus.CPUs) != len(a.madt) {
		t.Fatalf("%+v, want %d CPUs", cpus, len(a.madt))
	}
	for i, c := range cpus.CPUs {
		id, up := 0, i < len(online)
		if up {
			id = online[i]
		} else {
			id = missing[i-len(online)]
		}
		if c.ID != i || c.APICID != id || c.Online != up {
			t.Errorf("CPU %+v, want number %d, APIC ID %d, online %v", c, i, id, up)
		}
		if up && !slices.Contains(a.nodes[c.Node], i) {
			t.Errorf("CPU %d is in node %d, want %v", i, c.Node, a.nodes)
		}
	}
	var numa numaReport
	r.JSON(t, "nodes", &numa)
	if len(numa.Nodes) != len(a.nodes) {
		t.Fatalf("%+v, want %d nodes", numa, len(a.nodes))
	}
	for i, n := range numa.Nodes {
		if !slices.Equal(n.CPUs, a.nodes[i]) {
			t.Errorf("node %d has CPUs %d, want %d", i, n.CPUs, a.nodes[i])
		}
	}
}

// checkRun looks at the workload, which all CPUs that are there share.
func (a absence) checkRun(t *testing.T, r Result) {
	t.Helper()
	var run struct {
		OK   bool
		CPUs []struct{ ID, Node, Files int }
	}
	r.JSON(t, "ok", &run)
	if !run.OK || len(run.CPUs) != len(a.online()) {
		t.Fatalf("the workload: %+v, want right results of %d CPUs", run, len(a.online()))
	}
	for i, c := range run.CPUs {
		if c.ID != i || c.Files == 0 || !slices.Contains(a.nodes[c.Node], i) {
			t.Errorf("the workload on CPU %d: %+v", i, c)
		}
	}
}

// The program sees the CPUs that are there, and can run on each of them at once.
func TestAbsentCPUIsNotCounted(t *testing.T) {
	Need(t)
	a := absences["several"]
	r := Boot(t, Options{Image: "./test/images/smp", CPUs: 4, Nodes: NoNodes, Mem: "1024M", Initrd: tables(t, false, madt(a.madt...), srat(a.domains))})
	r.Want(t, 0)
	var got struct{ NumCPU, GOMAXPROCS, Right int }
	r.JSON(t, "numcpu", &got)
	if got.NumCPU != 4 || got.GOMAXPROCS != 4 || got.Right != 4 {
		t.Errorf("%+v, want 4 of each", got)
	}
}

// The wait for CPUs that never come has an end. The clock counts instructions here, so that the host's load plays no part.
func TestAbsentCPUsAreNotAwaitedForEver(t *testing.T) {
	Need(t)
	r := Boot(t, Options{Image: "./test/images/smp", CPUs: 1, Nodes: 1, Icount: true, Initrd: tables(t, false, madt(9, 0, 10, 11))})
	r.Want(t, 0)
	const patience = 1.0 // s without an arrival: board, apPatience
	var seen []float64
	for line := range strings.Lines(r.Output) {
		stamp, _, ok := strings.Cut(strings.TrimPrefix(line, "["), "]")
		if s, err := strconv.ParseFloat(strings.TrimSpace(stamp), 64); ok && err == nil && strings.Contains(line, "did not start") {
			seen = append(seen, s)
		}
	}
	if len(seen) != 3 || seen[0] < patience || seen[2] > patience+0.1 {
		t.Errorf("CPUs were left out %v s after the start, want 3 of them after %v s", seen, patience)
	}
}

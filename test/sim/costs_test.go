package sim

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pdac/kernel/lockfree"
	"pdac/kernel/sched"
)

// BenchmarkSpawn is a task's whole life but for its computing: made, queued, switched to, ended.
func BenchmarkSpawn(b *testing.B) {
	bare()
	for b.Loop() {
		t, _ := sched.New(0)
		sched.Enqueue(0, t)
		sched.Exit(0, sched.Leave(0))
	}
}

// BenchmarkYield is a switch between two tasks.
func BenchmarkYield(b *testing.B) {
	bare()
	for range 2 {
		t, _ := sched.New(0)
		sched.Enqueue(0, t)
	}
	t := sched.Leave(0)
	for b.Loop() {
		sched.Yield(0, t)
		t = sched.Leave(0)
	}
}

// BenchmarkWake is a switch and a wakeup.
func BenchmarkWake(b *testing.B) {
	bare()
	for range 2 {
		t, _ := sched.New(0)
		sched.Enqueue(0, t)
	}
	t := sched.Leave(0)
	seq := sched.Park(0, t, 0)
	u := sched.Leave(0)
	for b.Loop() {
		sched.Wake(0, t, seq, 0, false)
		seq = sched.Park(0, u, 0)
		t, u = u, sched.Leave(0)
	}
}

// bare is a machine of one CPU without a clock.
func bare() {
	sched.Init(sched.Machine{
		NCPU: 1, Nodes: make([]uint8, 1),
		Now:  func() uint64 { return 1 },
		Kick: func(int) {}, Arm: func(int, uint64) {},
		CPUs: make([]sched.CPU, 1), Tasks: make([]sched.Task, 64), TaskLinks: make([]uint32, 64),
		GrowTasks: func(int, uint32) bool { return true },
		Entries:   make([]lockfree.Node, sched.Entries(1, 64)), EntryLinks: make([]uint32, sched.Entries(1, 64)),
	})
}

func TestNoCostIsZero(t *testing.T) {
	for _, scale := range []float64{0.001, 0.5, 1, 2} {
		for i, ns := range Committed(scale) {
			if name, source := Cost(i).Source(); ns == 0 || name == "" || source == "" {
				t.Errorf("cost %d, %q from %q, times %g: %d ns", i, name, source, scale, ns)
			}
		}
	}
}

// TestCostsCoverTheRecord: what the guest was measured to take is charged, within 5%, however it is split.
func TestCostsCoverTheRecord(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "bench", "linux", "record.txt"))
	if err != nil {
		t.Fatal(err)
	}
	in := func(costs ...Cost) (sum float64) {
		for _, c := range costs {
			sum += committed[c].instructions
		}
		return sum
	}
	charged := map[string]float64{
		"sched_yield 2 threads 1 cpu": in(Syscall, Requeue, Switch),
		"futex ping-pong RT, 1 CPU":   2 * in(Syscall, Push, Futex, Syscall, Park, Futex, Switch),
		"RawSyscall(SYS_GETPPID)":     in(Syscall),
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(line, "\t")
		ours, ok := charged[f[0]]
		if !ok {
			continue
		}
		delete(charged, f[0])
		if measured, err := strconv.ParseFloat(f[2], 64); err != nil || ours < 0.95*measured {
			t.Errorf("%s: %g instructions charged, %s measured", f[0], ours, f[2])
		}
	}
	for name := range charged {
		t.Errorf("%s is not in the record", name)
	}
}

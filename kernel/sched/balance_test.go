package sched

import (
	"slices"
	"testing"
)

// spin lets tasks that never wait run for ns on all CPUs, tick by tick.
func spin(tb testing.TB, f *fakeMachine, ns uint64) {
	tb.Helper()
	for end := f.clock.Load() + ns; ; {
		next := uint64(Never)
		for cpu := range cpus {
			next = min(next, f.armed[cpu].Load())
		}
		if next > end {
			f.clock.Store(end)
			return
		}
		f.clock.Store(max(next, f.clock.Load()))
		for cpu := range cpus {
			if f.interrupt(cpu) || NeedLeave(cpu) {
				Leave(cpu)
			}
		}
	}
}

// has returns how many tasks each CPU has.
func has() (n []int) {
	for i := range cpus {
		k := len(cpus[i].waiting())
		if cpus[i].cur.Load() != 0 {
			k++
		}
		n = append(n, k)
	}
	return n
}

func balanced() (n uint64) {
	for i := range cpus {
		n += Stats(i).Balanced
	}
	return n
}

// TestLoadArrives: the average reaches what there is, from below and from above, and is nobody's business while the CPU is idle.
func TestLoadArrives(t *testing.T) {
	boot(t, 1, 1, 8, 0)
	c := &cpus[0]
	now := uint64(1000)
	occupy(t, 0)
	for _, want := range []int64{1, 3, 2, 1} {
		for c.weigh() < want*loadOne {
			spawn(t, 0)
		}
		for c.weigh() > want*loadOne {
			Exit(0, Current(0))
			Leave(0)
		}
		last := c.ewma.Load()
		for range 100 {
			now += 1_000_000
			c.average(now, 20_000_000)
			if l := c.ewma.Load(); (l-last)*(want*loadOne-last) < 0 || max(l, last) > max(last, want*loadOne) || min(l, last) < min(last, want*loadOne) {
				t.Fatalf("from %d to %d on the way to %d", last, l, want*loadOne)
			} else {
				last = l
			}
		}
		for range 400 {
			now += 10_000_000
			c.average(now, 20_000_000)
		}
		if l := c.ewma.Load(); l != want*loadOne {
			t.Errorf("stays at %d, want %d", l, want*loadOne)
		}
	}
}

// TestHotCPUDrained: of many tasks on one CPU each gets as many as the others.
func TestHotCPUDrained(t *testing.T) {
	f := boot(t, 4, 2, 64, 0)
	occupy(t, 0, 1, 2, 3)
	waiters(t, 0, 20)
	spin(t, f, 2_000_000_000)
	n := has()
	if slices.Max(n)-slices.Min(n) > 1 {
		t.Errorf("tasks by CPU: %v", n)
	}
	if b := balanced(); b < 14 || b > 30 {
		t.Errorf("%d moves", b)
	}
	// Then it rests.
	before := balanced()
	spin(t, f, 2_000_000_000)
	if b := balanced() - before; b != 0 {
		t.Errorf("%d moves of balanced queues", b)
	}
	checkSettled(t, f)
}

// TestBalanceGap: two tasks and one are alike as long as tasks cannot be cut.
func TestBalanceGap(t *testing.T) {
	for _, c := range []struct {
		gap, extra int
		moves      bool
	}{{150, 1, false}, {150, 2, true}, {400, 2, false}, {400, 5, true}, {1, 1, false}} {
		f := boot(t, 2, 1, 64, 0)
		SetBalanceGap(c.gap)
		occupy(t, 0, 1)
		waiters(t, 0, c.extra)
		spin(t, f, 1_000_000_000)
		if got := balanced() != 0; got != c.moves {
			t.Errorf("%+v: moved %v, tasks %v", c, got, has())
		}
	}
}

// TestBalanceWhenItPays: with a quantum that is shorter than the caches take to fill nothing moves.
func TestBalanceWhenItPays(t *testing.T) {
	for _, c := range []struct {
		quantum, cost uint64
		moves         bool
	}{{1_000_000, 50_000, true}, {1_000_000, 50_000_000, false}, {MinQuantum, 400_000, false}, {MinQuantum, 20_000, true}} {
		f := boot(t, 2, 1, 64, 0)
		SetClassQuantum(ClassNormal, c.quantum)
		SetMoveCost(ClassNormal, c.cost)
		occupy(t, 0, 1)
		waiters(t, 0, 4)
		spin(t, f, 500_000_000)
		if got := balanced() != 0; got != c.moves || MoveCost(ClassNormal) != c.cost {
			t.Errorf("%+v: moved %v, tasks %v", c, got, has())
		}
	}
}

// TestBalanceNear: of CPUs with as little load the nearest gets the task; from a distance at which it costs too much none does.
func TestBalanceNear(t *testing.T) {
	f := bootNodes(t, 1)
	occupy(t, 0, 1, 2, 3, 4, 5, 6, 7)
	list := waiters(t, 0, 2)
	spin(t, f, 200_000_000)
	if n := has(); n[0] != 2 || n[1] != 2 {
		t.Errorf("tasks by CPU: %v, want one of three moved within the node", n)
	}
	f = bootNodes(t, 1)
	SetMoveCost(ClassNormal, 8_000_000) // 16 ms to the next node, 32 to the last; three turns of 10 ms are gained
	occupy(t, 0, 1, 2, 3, 4, 5, 6, 7)
	list = append(waiters(t, 0, 4), Current(0))
	var mask CPUSet
	mask.Add(0)
	mask.Add(7)
	for _, id := range list {
		SetAffinity(0, id, &mask)
	}
	spin(t, f, 500_000_000)
	if n := has(); n[0] != 5 {
		t.Errorf("tasks by CPU: %v, want none moved far", n)
	}
	mask.Add(2)
	for _, id := range list {
		SetAffinity(0, id, &mask)
	}
	spin(t, f, 500_000_000)
	if n := has(); n[2] != 2 || n[7] != 1 {
		t.Errorf("tasks by CPU: %v, want one moved to CPU 2", n)
	}
}

// TestBalanceKeepsAffinity: pinned tasks stay, however long the queue, and others find their way past them.
func TestBalanceKeepsAffinity(t *testing.T) {
	f := boot(t, 4, 2, 64, 0)
	occupy(t, 0, 1, 2, 3)
	for i, id := range waiters(t, 0, 12) {
		switch i % 4 {
		case 0, 1:
			SetAffinity(0, id, &CPUSet{0b0001})
		case 2:
			SetAffinity(0, id, &CPUSet{0b0011})
		}
	}
	spin(t, f, 2_000_000_000)
	for i := range cpus {
		for _, id := range append(cpus[i].waiting(), Current(i)) {
			if !Get(id).mayRun(i) {
				t.Errorf("task %d is on CPU %d", id, i)
			}
		}
	}
	if n := has(); n[0] != 6 || slices.Max(n[1:]) > 4 || slices.Min(n[1:]) < 3 {
		t.Errorf("tasks by CPU: %v", n)
	}
	checkSettled(t, f)
}

// TestBalanceHome: tasks go away from home only where that gains more than they lose by it, and come back for less.
func TestBalanceHome(t *testing.T) {
	for _, c := range []struct {
		home, cost uint64
		away       bool
	}{{0, 0, true}, {0, 100_000_000, false}, {1, 100_000_000, true}} {
		f := boot(t, 2, 2, 64, 0)
		SetHomeCost(c.cost)
		occupy(t, 0, 1)
		for _, id := range append(waiters(t, 0, 4), Current(0)) {
			SetHome(id, int(c.home))
		}
		spin(t, f, 500_000_000)
		if got := balanced() != 0; got != c.away {
			t.Errorf("%+v: moved %v, tasks %v", c, got, has())
		}
	}
}

// TestBatchIsNoLoad: a CPU on which only batch tasks compete is where a waiting normal one goes.
func TestBatchIsNoLoad(t *testing.T) {
	f := boot(t, 2, 1, 64, 0)
	run := occupy(t, 0, 1)
	SetClass(0, run[1], ClassBatch)
	list := waiters(t, 0, 1)
	spin(t, f, 500_000_000)
	if Get(list[0]).CPU() != 1 && Get(run[0]).CPU() != 1 {
		t.Errorf("tasks by CPU: %v", has())
	}
	checkSettled(t, f)
}

// TestBalanceOnce: two CPUs that look at the same time don't both send for the same reason.
func TestBalanceOnce(t *testing.T) {
	f := boot(t, 3, 1, 64, 0)
	occupy(t, 0, 1, 2)
	waiters(t, 0, 2)
	waiters(t, 1, 2)
	spin(t, f, 1_000_000_000)
	if n := has(); slices.Max(n) != 3 || slices.Min(n) != 2 || balanced() != 1 {
		t.Errorf("tasks by CPU: %v, %d moves", n, balanced())
	}
}

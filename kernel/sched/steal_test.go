package sched

import (
	"slices"
	"testing"
)

// bootNodes boots 8 CPUs, two to a node, of which the nodes are in a row: each is 10 further from the next.
func bootNodes(tb testing.TB, seed uint64) *fakeMachine {
	return bootWith(tb, 8, 4, 200, 0, func(m *Machine) {
		m.Seed = seed
		m.Distances = new([MaxNodes][MaxNodes]uint8)
		for a := range 4 {
			for b := range 4 {
				m.Distances[a][b] = uint8(10 + 10*max(a-b, b-a))
			}
		}
	})
}

// order is a whole walk of a CPU's.
func order(cpu int, s Strategy) (list []int) {
	w := on(cpu).walk(s)
	for {
		i := w.next(on(cpu))
		if i < 0 {
			return list
		}
		list = append(list, i)
	}
}

func TestVictimsInOrder(t *testing.T) {
	bootNodes(t, 7)
	if got := order(3, Circular); !slices.Equal(got, []int{4, 5, 6, 7, 0, 1, 2}) {
		t.Errorf("circular, from its own place: %v", got)
	}
	on(3).cursor = 6
	if got := order(3, Circular); !slices.Equal(got, []int{6, 7, 0, 1, 2, 4, 5}) {
		t.Errorf("circular, from 6: %v", got)
	}
	// Of node 1: nodes 2 and 0 are as near, and the one above comes first.
	starts := map[int]bool{}
	for range 50 {
		got := order(3, Affinity)
		var nodes []int
		for _, i := range got {
			nodes = append(nodes, i/2)
		}
		if !slices.Equal(nodes, []int{1, 2, 2, 0, 0, 3, 3}) {
			t.Fatalf("affinity: %v", got)
		}
		starts[got[1]] = true
	}
	if len(starts) != 2 {
		t.Errorf("all begin with the same one of a node: %v", starts)
	}
}

// TestVictimsByChance: the same seed gives the same order, another one another, and each CPU comes once.
func TestVictimsByChance(t *testing.T) {
	for _, ncpu := range []int{1, 2, 3, 64, 100, MaxCPUs} {
		var first []int
		for _, seed := range []uint64{1, 1, 2} {
			bootWith(t, ncpu, 1, 1, 0, func(m *Machine) { m.Seed = seed })
			got := order(0, Random)
			if sorted := slices.Sorted(slices.Values(got)); len(sorted) != ncpu-1 || len(slices.Compact(sorted)) != ncpu-1 || slices.Contains(got, 0) {
				t.Fatalf("%d CPUs, seed %d: %v", ncpu, seed, got)
			}
			if seed == 1 && first != nil && !slices.Equal(got, first) || seed == 2 && ncpu > 3 && slices.Equal(got, first) {
				t.Errorf("%d CPUs: seed 1 gives %v, seed %d %v", ncpu, first, seed, got)
			}
			first = got
		}
	}
	// Each is as likely to be the first.
	boot(t, 5, 1, 1, 0)
	var firsts [5]int
	for range 10_000 {
		firsts[order(0, Random)[0]]++
	}
	for i := 1; i < 5; i++ {
		if firsts[i] < 1500 { // of 2,500; but who follows a place that is none comes for two
			t.Errorf("CPU %d is the first of 10,000 orders %d times", i, firsts[i])
		}
	}
}

// occupy lets each CPU of a list run a task of its own.
func occupy(tb testing.TB, list ...int) (run []ID) {
	for _, cpu := range list {
		id := spawn(tb, cpu)
		leave(tb, cpu, id)
		run = append(run, id)
	}
	return run
}

// waiters makes n tasks that wait in a CPU's queue.
func waiters(tb testing.TB, cpu, n int) (list []ID) {
	for range n {
		list = append(list, spawn(tb, cpu))
	}
	return list
}

func TestStealTakesHalf(t *testing.T) {
	for _, c := range []struct {
		batch          uint32
		waiting, taken int
	}{{32, 20, 10}, {32, 21, 11}, {4, 20, 4}, {1, 20, 1}, {32, 1, 1}, {32, 2, 1}, {32, 3, 2}, {32, 100, 32}} {
		f := boot(t, 2, 2, 200, 0)
		run := occupy(t, 0, 1)
		list := waiters(t, 0, c.waiting)
		SetStealBatch(c.batch)
		Park(1, run[1], 0)
		// The first was the lone one, or heads the band: FIFO in any case.
		leave(t, 1, list[0])
		if got := cpus[1].waiting(); !slices.Equal(got, list[1:c.taken]) {
			t.Errorf("%+v: the thief runs %d and has %v", c, list[0], got)
		}
		if got := cpus[0].waiting(); !slices.Equal(got, list[c.taken:]) {
			t.Errorf("%+v: the victim has %v", c, got)
		}
		if s := Stats(1); s.Pulls != 1 || s.Stolen != uint64(c.taken) {
			t.Errorf("%+v: %+v", c, s)
		}
		StealStats(func(k StealCount) {
			if k != (StealCount{Affinity, 20, 1, 1, uint64(c.taken)}) {
				t.Errorf("%+v: %+v", c, k)
			}
		})
		checkSettled(t, f)
	}
}

// TestStealGivesToIdle: what a thief takes goes to those that are idle too, one task each.
func TestStealGivesToIdle(t *testing.T) {
	f := boot(t, 4, 1, 200, 0)
	run := occupy(t, 0, 1, 2, 3)
	waiters(t, 0, 20)
	for cpu := 1; cpu < 4; cpu++ {
		Park(cpu, run[cpu], 0)
	}
	for cpu := 2; cpu < 4; cpu++ { // idle, as if they had looked before the tasks were there
		cpus[cpu].setIdle(cpu)
		cpus[cpu].need.Store(0)
	}
	if Leave(1) == 0 {
		t.Fatal("the thief has nothing")
	}
	for cpu := 2; cpu < 4; cpu++ {
		if n := len(cpus[cpu].waiting()); n != 1 || f.kicked[cpu].Load() == 0 {
			t.Errorf("CPU %d has %d tasks, kicked %d", cpu, n, f.kicked[cpu].Load())
		}
		Leave(cpu)
	}
	checkSettled(t, f)
}

func TestStealThreshold(t *testing.T) {
	f := bootNodes(t, 1)
	run := occupy(t, 0, 1, 2, 3, 4, 5, 6, 7)
	near, far := waiters(t, 1, 2), waiters(t, 6, 5)
	SetStealThreshold(4)
	Park(0, run[0], 0)
	leave(t, 0, far[0])
	Park(2, run[2], 0)
	Leave(2) // no queue has four now: the nearest
	if c := Current(2); !slices.Contains(near, c) && !slices.Contains(far, c) || StealThreshold() != 4 {
		t.Errorf("CPU 2 runs %d", c)
	}
	for n, want := range map[uint32]uint32{0: 1, 5000: MaxStealThreshold} {
		if SetStealThreshold(n); StealThreshold() != want {
			t.Errorf("threshold %d is held at %d", n, StealThreshold())
		}
	}
	checkSettled(t, f)
}

// TestStealByDistance: of queues that are alike the nearest gives.
func TestStealByDistance(t *testing.T) {
	f := bootNodes(t, 1)
	run := occupy(t, 0, 1, 2, 3, 4, 5, 6, 7)
	var from [8][]ID
	for _, cpu := range []int{7, 5, 3, 1} {
		from[cpu] = waiters(t, cpu, 1)
	}
	for _, cpu := range []int{1, 3, 5, 7} {
		id := Current(0)
		if id == 0 {
			id = run[0]
		}
		Park(0, id, 0)
		leave(t, 0, from[cpu][0])
	}
	var got []StealCount
	StealStats(func(k StealCount) { got = append(got, k) })
	if want := []StealCount{{Affinity, 10, 1, 1, 1}, {Affinity, 20, 1, 1, 1}, {Affinity, 30, 1, 1, 1}, {Affinity, 40, 1, 1, 1}}; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	checkSettled(t, f)
}

// TestStealLeavesPinned: tasks that may not run here stay, and those behind them are found.
func TestStealLeavesPinned(t *testing.T) {
	f := boot(t, 2, 1, 200, 0)
	run := occupy(t, 0, 1)
	list := waiters(t, 0, 10)
	for i, id := range list {
		if i%3 != 2 {
			SetAffinity(0, id, &CPUSet{1})
		}
	}
	Park(1, run[1], 0)
	leave(t, 1, list[2])
	for _, id := range cpus[1].waiting() {
		if !Get(id).mayRun(1) {
			t.Errorf("task %d was taken against its affinity", id)
		}
	}
	for id := Current(1); id != 0; id = Leave(1) {
		if !Get(id).mayRun(1) {
			t.Errorf("task %d runs against its affinity", id)
		}
		Park(1, id, 0)
	}
	for _, id := range cpus[0].waiting() {
		if Get(id).mayRun(1) {
			t.Errorf("task %d waits while CPU 1 is idle", id)
		}
	}
	var failed uint64
	StealStats(func(k StealCount) { failed += k.Tried - k.Won })
	if failed == 0 {
		t.Error("an attempt at a queue of pinned tasks counts as a success")
	}
	checkSettled(t, f)
}

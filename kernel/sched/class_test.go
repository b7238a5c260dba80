package sched

import (
	"math/rand/v2"
	"testing"
)

// turns lets CPU 0 run tasks that use up their quanta until n turns are over, and returns how many ns each task had.
func turns(tb testing.TB, f *fakeMachine, n int) map[ID]uint64 {
	tb.Helper()
	had := map[ID]uint64{}
	for range n {
		id := Current(0)
		if id == 0 {
			id = Leave(0)
		}
		start := f.clock.Load()
		f.clock.Store(max(start, f.armed[0].Load()))
		had[id] += f.clock.Load() - start
		f.interrupt(0)
		Leave(0)
	}
	return had
}

// busy starts n tasks of CPU 0.
func busy(tb testing.TB, n int) (ids []ID) {
	for range n {
		ids = append(ids, spawn(tb, 0))
	}
	return ids
}

// jain is Jain's index of fairness (R. Jain, D. Chiu, W. Hawe, DEC TR-301, 1984): 1 when all have the same.
func jain(had map[ID]uint64) float64 {
	var sum, squares float64
	for _, ns := range had {
		sum += float64(ns)
		squares += float64(ns) * float64(ns)
	}
	return sum * sum / (float64(len(had)) * squares)
}

func TestEqualShares(t *testing.T) {
	for _, p := range []Policy{RoundRobin, Lottery} {
		f := boot(t, 1, 1, 8, 0)
		SetPolicy(ClassNormal, p)
		busy(t, 8)
		if j := jain(turns(t, f, 2000)); j < 0.99 {
			t.Errorf("policy %d: Jain's index %.4f for equal tasks", p, j)
		}
		if PolicyOf(ClassNormal) != p || PolicyOf(ClassBatch) != RoundRobin {
			t.Error("PolicyOf")
		}
		checkSettled(t, f)
	}
}

// TestLotteryShares draws 10,000 times for each of 100 seeds that it picks.
func TestLotteryShares(t *testing.T) {
	tickets := []uint32{100, 200, 300, 400, 50, 25, 1000, 777}
	var sum float64
	for _, n := range tickets {
		sum += float64(n)
	}
	for range 100 {
		seed := rand.Uint64() | 1
		f := boot(t, 1, 1, 8, 0)
		cpus[0].rng = seed
		SetPolicy(ClassNormal, Lottery)
		ids := busy(t, len(tickets))
		for i, id := range ids {
			SetTickets(id, tickets[i])
		}
		var all float64
		had := turns(t, f, 10_000)
		for _, ns := range had {
			all += float64(ns)
		}
		for i, id := range ids {
			got, want := 100*float64(had[id])/all, 100*float64(tickets[i])/sum
			if got < want-2 || got > want+2 {
				t.Errorf("seed %#x: %d of %.0f tickets gave %.2f%%, want %.2f%%", seed, tickets[i], sum, got, want)
			}
		}
		if s, _ := tasks[ids[0]].State(); s != StateReady && s != StateRunning {
			t.Errorf("task in state %d", s)
		}
		check(t)
	}
}

// TestLotteryCompensates has a task that blocks after a fifth of each quantum compete with one that computes, on equal tickets: they get
// equal shares of the CPU.
func TestLotteryCompensates(t *testing.T) {
	f := boot(t, 1, 1, 8, 0)
	SetPolicy(ClassNormal, Lottery)
	ids := busy(t, 2)
	var had [2]float64
	Leave(0)
	for range 20_000 {
		start := f.clock.Load()
		if id := Current(0); id == ids[1] {
			f.clock.Add(DefaultQuantum / 5)
			had[1] += DefaultQuantum / 5
			seq := Park(0, id, 0)
			Wake(0, id, seq, 0, false)
		} else {
			f.clock.Store(max(start, f.armed[0].Load()))
			had[0] += float64(f.clock.Load() - start)
			f.interrupt(0)
		}
		Leave(0)
	}
	if share := had[1] / (had[0] + had[1]); share < 0.47 || share > 0.53 {
		t.Errorf("a task that uses a fifth of its quanta got %.3f of the CPU, want a half", share)
	}
}

// TestLotterySharesOfSignalled has a task that is signalled again and again, while it waits, answer each at once and block for a moment:
// it gets what its tickets are worth beside one that computes, and no more.
func TestLotterySharesOfSignalled(t *testing.T) {
	f := boot(t, 1, 1, 8, 0)
	SetPolicy(ClassNormal, Lottery)
	ids := busy(t, 2)
	SetTickets(ids[0], 400)
	signalled := Get(ids[1])
	var had [2]float64
	Leave(0)
	for range 20_000 {
		start := f.clock.Load()
		if Current(0) == ids[1] && signalled.Attn.Swap(0) != 0 {
			f.clock.Add(1000)
			seq := Park(0, ids[1], 0)
			Wake(0, ids[1], seq, 0, false)
			Leave(0)
			continue
		}
		if Current(0) == ids[0] {
			f.clock.Add(DefaultQuantum / 2)
			signalled.Attn.Store(1)
			Urgent(0, ids[1])
			had[0] += DefaultQuantum / 2
			Leave(0)
			continue
		}
		f.clock.Store(max(start, f.armed[0].Load()))
		had[1] += float64(f.clock.Load() - start)
		f.interrupt(0)
		Leave(0)
	}
	if share := had[1] / (had[0] + had[1]); share < 0.17 || share > 0.23 {
		t.Errorf("a task of 100 tickets out of 500 that is signalled while it waits got %.3f of the CPU", share)
	}
	checkSettled(t, f)
}

func TestPriorities(t *testing.T) {
	f := boot(t, 1, 1, 8, 0)
	low, high := spawn(t, 0), spawn(t, 0)
	SetPriority(low, 5) // it is queued already: from its next turn
	SetPriority(high, 1)
	turns(t, f, 2)
	had := turns(t, f, 20_000)
	if had[high] < 25*had[low] {
		t.Errorf("priority 1 had %d ns beside %d of priority 5", had[high], had[low])
	}
	if had[low] == 0 {
		t.Error("the less urgent one starves")
	}
	// A more urgent one preempts when it wakes, and who made room goes on with the rest of its quantum.
	for Current(0) != low {
		id := Current(0)
		Park(0, id, 0)
		Leave(0)
	}
	_, seq := Get(high).State()
	end := tasks[low].quantumEnd
	f.clock.Add(1000)
	Wake(0, high, seq, 0, false)
	leave(t, 0, high)
	f.clock.Add(500)
	Park(0, high, 0)
	leave(t, 0, low)
	if tasks[low].quantumEnd != end+500 {
		t.Errorf("the quantum ends at %d, want %d", tasks[low].quantumEnd, end+500)
	}
	checkSettled(t, f)
}

func TestLatencyRunsAtOnce(t *testing.T) {
	f := boot(t, 1, 1, 8, 0)
	ids := busy(t, 4)
	leave(t, 0, ids[0])
	SetClass(0, ids[3], ClassLatency) // it waits: it preempts at once
	leave(t, 0, ids[3])
	seq := Park(0, ids[3], 0)
	leave(t, 0, ids[0]) // not the next one: its quantum is not over
	Wake(0, ids[3], seq, 0, false)
	leave(t, 0, ids[3])
	SetClass(0, ids[2], ClassLatency) // no preemption among themselves
	leave(t, 0, ids[3])
	SetClass(0, ids[1], ClassBatch)
	turns(t, f, 1)
	if Current(0) != ids[2] {
		t.Errorf("after the quantum of a latency task comes %d, want the other one, %d", Current(0), ids[2])
	}
	if i := Info(ids[2]); i.Class != ClassLatency || i.Priority != DefaultPriority || i.Tickets != DefaultTickets || i.Quantum != DefaultQuantum {
		t.Errorf("%+v", i)
	}
	checkSettled(t, f)
}

// TestNobodyStarves floods a CPU with latency tasks that never block, under each policy and with one task in each other place: each of
// them is served within a bounded time.
func TestNobodyStarves(t *testing.T) {
	for _, p := range []Policy{RoundRobin, Lottery} {
		f := boot(t, 1, 1, 16, 0)
		for c := range nClasses {
			SetPolicy(c, p)
		}
		ids := busy(t, 12)
		for i, id := range ids {
			switch {
			case i < 3:
				SetClass(0, id, ClassLatency)
			case i < 5:
				SetClass(0, id, ClassBatch)
			}
			SetPriority(id, uint8(i%8))
			SetTickets(id, 1<<i)
		}
		had := map[ID]uint64{}
		for id, ns := range turns(t, f, 60_000) {
			had[id] = ns
		}
		for i, id := range ids {
			if had[id] < MinQuantum {
				t.Errorf("policy %d: task %d, of class %d, had %d ns", p, i, Info(id).Class, had[id])
			}
		}
		check(t)
	}
}

func TestQuanta(t *testing.T) {
	f := boot(t, 1, 1, 8, 0)
	SetClassQuantum(ClassNormal, 1)
	if ClassQuantum(ClassNormal) != MinQuantum || ClassQuantum(ClassBatch) != DefaultQuantum {
		t.Fatal("the lower bound of a quantum")
	}
	SetClassQuantum(ClassNormal, 1<<40)
	if ClassQuantum(ClassNormal) != MaxQuantum {
		t.Fatal("the upper bound of a quantum")
	}
	ids := busy(t, 2)
	SetQuantum(ids[0], 3*MinQuantum)
	had := turns(t, f, 10)
	if had[ids[0]] != 5*3*MinQuantum || had[ids[1]] != 5*MaxQuantum {
		t.Errorf("5 turns each: %v", had)
	}
	SetQuantum(ids[0], 0)
	turns(t, f, 1)
	if had := turns(t, f, 10); had[ids[0]] != 5*MaxQuantum {
		t.Errorf("5 turns each: %v", had)
	}
}

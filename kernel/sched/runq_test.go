package sched

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestHandOversExactlyOnce passes tasks around CPUs that pop, steal, retract and push without end, until there were a million
// hand-overs. A task's plain counter is its holder's, so that the race detector sees one who has no right to it.
func TestHandOversExactlyOnce(t *testing.T) {
	const ncpu, ntasks = 4, 24
	total := int64(1_000_000)
	if testing.Short() {
		total = 50_000
	}
	boot(t, ncpu, 2, ntasks, 0)
	var count [ntasks + 1]struct{ run, moved int }
	var done, takes, retracts, ran atomic.Int64
	for i := range ntasks {
		id, _ := New(0)
		SetPriority(id, uint8(i%3))
		Get(id).move(StateNew, StateWaking)
		on(i%ncpu).push(i%ncpu, id, Get(id), false)
	}
	var wg sync.WaitGroup
	for cpu := range ncpu {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(cpu), 9))
			c := on(cpu)
			put := func(id ID) {
				at := r.IntN(ncpu)
				on(at).push(at, id, Get(id), r.IntN(16) == 0)
			}
			for done.Load() < total {
				switch r.IntN(8) {
				case 0:
					if id := ID(1 + r.IntN(ntasks)); true {
						if _, ok := Get(id).retract(); ok {
							count[id].moved++
							retracts.Add(1)
							done.Add(1)
							put(id)
						}
					}
				default:
					id, _ := c.pop()
					if id == 0 {
						if id = on((cpu + 1 + r.IntN(ncpu-1)) % ncpu).take(cpu); id == 0 {
							runtime.Gosched()
							continue
						}
						takes.Add(1)
					}
					if s, _ := Get(id).State(); s != StateRunning || Get(id).CPU() != cpu {
						t.Errorf("task %d was taken by CPU %d: state %d of CPU %d", id, cpu, s, Get(id).CPU())
						return
					}
					count[id].run++
					ran.Add(1)
					done.Add(1)
					Get(id).move(StateRunning, StateWaking)
					put(id)
				}
			}
		})
	}
	wg.Wait()
	check(t)
	checkNodes(t)
	var run, moved int64
	for id := ID(1); id <= ntasks; id++ {
		run += int64(count[id].run)
		moved += int64(count[id].moved)
		if s, stay := Get(id).State(); s != StateReady || stay != uint64(1+count[id].run+count[id].moved) {
			t.Errorf("task %d: state %d in stay %d, after %d turns and %d retracts", id, s, stay, count[id].run, count[id].moved)
		}
	}
	if run != ran.Load() || moved != retracts.Load() || takes.Load() == 0 || retracts.Load() == 0 {
		t.Errorf("%d turns of %d, %d retracts of %d, %d takes", run, ran.Load(), moved, retracts.Load(), takes.Load())
	}
	t.Logf("%d turns, %d of them stolen, %d retracts", run, takes.Load(), moved)
}

// TestAllTaskNumbers fills the table, runs every task once and empties it.
func TestAllTaskNumbers(t *testing.T) {
	boot(t, 3, 1, MaxTasks-1, 0)
	seen := make([]bool, MaxTasks)
	n := 0
	for {
		id, ok := New(n % 3)
		if !ok {
			break
		}
		Enqueue(n%3, id)
		n++
	}
	if n != MaxTasks-1 {
		t.Fatalf("%d tasks, want %d", n, MaxTasks-1)
	}
	check(t)
	checkNodes(t)
	for i := 0; n > 0; i = (i + 1) % 3 {
		id := Leave(i)
		if id == 0 || seen[id] {
			t.Fatalf("CPU %d runs task %d, with %d left", i, id, n)
		}
		seen[id] = true
		Exit(i, id)
		n--
	}
	for i := range 3 {
		leave(t, i, 0)
	}
	check(t)
	checkNodes(t)
}

// TestRetractWithoutSpares takes every spare node away: who wants a task from the middle of a queue gets none, and it runs in its turn.
func TestRetractWithoutSpares(t *testing.T) {
	boot(t, 1, 1, 8, 0)
	a, b, c := spawn(t, 0), spawn(t, 0), spawn(t, 0)
	var all []uint32
	for n, ok := spares.Pop(nodeLinks); ok; n, ok = spares.Pop(nodeLinks) {
		all = append(all, n)
	}
	if _, ok := Get(c).retract(); ok {
		t.Fatal("a task left its node behind and got none")
	}
	Get(c).Attn.Store(1)
	Urgent(0, c)
	leave(t, 0, a)
	Get(c).Attn.Store(0)
	Yield(0, a)
	leave(t, 0, b)
	for _, n := range all {
		spares.Push(nodeLinks, n)
	}
	Get(a).Attn.Store(1)
	Urgent(0, a)
	leave(t, 0, a)
	check(t)
	checkNodes(t)
}

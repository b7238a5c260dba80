package sched

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestHandOversExactlyOnce(t *testing.T) { handOver(t, 4, 24, 600_000) }

// TestHandOversOfFew has queues that are mostly empty: lone slots, and bits that are cleared.
func TestHandOversOfFew(t *testing.T) { handOver(t, 2, 3, 400_000) }

// handOver passes tasks around CPUs that pop, steal, retract and push without end, until there were so many hand-overs (a million in
// all tests). A task's plain counter is its holder's, so that the race detector sees one who has no right to it.
func handOver(t *testing.T, ncpu, ntasks int, total int64) {
	if testing.Short() {
		total /= 10
	}
	boot(t, ncpu, 2, ntasks, 0)
	count := make([]struct{ run, moved int }, ntasks+1)
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
					id := c.pop()
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
	for id := ID(1); int(id) <= ntasks; id++ {
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

// TestPusherThatStops holds a pusher up between reserving the lone slot and READY: others go past it, and nobody takes what is not there.
func TestPusherThatStops(t *testing.T) {
	boot(t, 2, 1, 8, 0)
	var ids [2]ID
	for i := range ids {
		ids[i], _ = New(0)
		Get(ids[i]).move(StateNew, StateWaking)
	}
	c := on(0)
	c.lone.Store(reserved)
	if id := c.pop(); id != 0 || c.take(1) != 0 || !c.empty() || c.load() != 0 {
		t.Fatal("a reserved slot passes for a task")
	}
	c.push(0, ids[1], Get(ids[1]), false)
	if id := c.pop(); id != ids[1] {
		t.Fatalf("pop = %d, want the task that came past, %d", id, ids[1])
	}
	e := Get(ids[0]).stay(ids[0], fromWaking) // it goes on, and is overtaken once more: its task is taken before its entry is there
	if _, ok := Get(ids[0]).retract(); !ok {
		t.Fatal("retract of a task that is READY")
	}
	c.lone.Store(e)
	c.push(0, ids[0], Get(ids[0]), false)
	if id := c.pop(); id != ids[0] {
		t.Fatalf("pop = %d, want %d, behind its own stale entry", id, ids[0])
	}
	if id := c.pop(); id != 0 {
		t.Fatalf("pop = %d of an empty queue", id)
	}
	checkNodes(t)
}

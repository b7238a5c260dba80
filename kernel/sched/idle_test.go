package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestNoCPUSleepsOnWork lets CPU 1 go idle at the moment when busy CPU 0 wakes a task of its own: CPU 1 must find the task or
// be given it, whoever comes first.
func TestNoCPUSleepsOnWork(t *testing.T) {
	const rounds = 10_000
	f := boot(t, 2, 1, 8, 0)
	for cpu := range 2 {
		spawn(t, cpu)
		Leave(cpu)
	}
	busy, sleeper := Current(0), spawn(t, 0)
	Yield(0, busy)
	leave(t, 0, sleeper)
	seq := Park(0, sleeper, 0)
	leave(t, 0, busy)

	// In each round CPU 1 parks its task and leaves while CPU 0 wakes the sleeper; then the roles of the two tasks change.
	var round, done atomic.Int32
	var got atomic.Uint32
	var parked atomic.Uint64
	var wg sync.WaitGroup
	wg.Go(func() {
		for r := int32(1); r <= rounds; r++ {
			for round.Load() != r {
				if t.Failed() {
					return
				}
				runtime.Gosched()
			}
			id := Current(1)
			for range r % 64 {
				f.clock.Add(1) // slide one CPU's start along the other's work
			}
			parked.Store(Park(1, id, 0))
			got.Store(Leave(1))
			done.Store(r)
		}
	})
	var found, given int
	for r := int32(1); r <= rounds; r++ {
		next := Current(1)
		round.Store(r)
		for range (r / 64) % 64 {
			f.clock.Add(1)
		}
		if !Wake(0, sleeper, seq, 0, false) {
			t.Fatal("Wake lost without a rival")
		}
		for done.Load() != r {
			runtime.Gosched()
		}
		if got.Load() != 0 {
			found++
		} else {
			given++
			if f.kicked[1].Load() == 0 {
				t.Errorf("round %d: CPU 1 sleeps, task %d waits for CPU 0", r, sleeper)
			}
			Leave(1)
		}
		f.kicked[1].Store(0)
		Leave(1)
		if Current(1) != sleeper {
			t.Errorf("round %d: CPU 1 runs %d, want %d", r, Current(1), sleeper)
		}
		if t.Failed() {
			break
		}
		sleeper, seq = next, parked.Load()
		tasks[sleeper].cpu.Store(0) // as if it had last run there, so that CPU 1 has to be found
	}
	wg.Wait()
	t.Logf("found by CPU 1: %d, given to it: %d", found, given)
}

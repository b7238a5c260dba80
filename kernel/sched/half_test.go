package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestHalvesRunOnce makes a million tasks (a tenth with the race detector), in bursts on one CPU, that the others steal by halves. Each
// runs once and ends; the plain field is handed over with the task, so that the race detector sees one that runs twice, or is
// handed over without order.
func TestHalvesRunOnce(t *testing.T) {
	const ncpu, lives, burst = 4, 1_000_000 / scale, 200
	f := boot(t, ncpu, 2, 4*burst, 0)
	ran := make([]int, 4*burst+1) // by task, in this life
	var ended atomic.Int64
	born := 0
	var wg sync.WaitGroup
	for cpu := range ncpu {
		wg.Go(func() {
			for idle := 0; ended.Load() < lives && !t.Failed(); {
				if cpu == 0 && born < lives && cpus[0].load() < burst {
					for range min(burst, lives-born) {
						id, ok := New(0)
						if !ok {
							break
						}
						ran[id] = 0
						born++
						Enqueue(0, id)
					}
				}
				id := Leave(cpu)
				if id == 0 {
					if idle++; idle > 10_000_000 {
						t.Errorf("CPU %d: nothing comes, %d of %d ended", cpu, ended.Load(), lives)
					}
					if cpu != 0 && f.kicked[cpu].Swap(0) == 0 {
						runtime.Gosched()
					}
					continue
				}
				idle = 0
				if ran[id]++; ran[id] != 1 {
					t.Errorf("task %d ran %d times", id, ran[id])
				}
				Exit(cpu, id)
				ended.Add(1)
			}
		})
	}
	wg.Wait()
	var stolen, pulls uint64
	for cpu := range ncpu {
		s := Stats(cpu)
		stolen, pulls = stolen+s.Stolen, pulls+s.Pulls
	}
	t.Logf("%d tasks stolen in %d steals", stolen, pulls)
	if stolen <= pulls {
		t.Error("no more than one task was stolen at a time")
	}
	for cpu := range ncpu {
		for Leave(cpu) != 0 {
			t.Errorf("CPU %d has a task left", cpu)
		}
	}
	check(t)
}

// TestNoCPUSleepsOnHalf lets three CPUs go idle at once over a queue of three tasks. One takes two of them, one the third; the last may look
// for one while the second is in the first one's hands, and then must be given it.
func TestNoCPUSleepsOnHalf(t *testing.T) {
	const rounds, ncpu = 8000 / scale, 4
	var given int
	for r := range rounds {
		f := boot(t, ncpu, 1, 16, 0)
		run := occupy(t, 0, 1, 2, 3)
		waiters(t, 0, 3)
		var start atomic.Int32
		var wg sync.WaitGroup
		for cpu := 1; cpu < ncpu; cpu++ {
			wg.Go(func() {
				for start.Add(1); start.Load() < ncpu-1; {
					runtime.Gosched()
				}
				for range r >> (2 * cpu) % 16 {
					f.clock.Add(1) // slide one CPU's start along the others' work
				}
				Park(cpu, run[cpu], 0)
				Leave(cpu)
			})
		}
		wg.Wait()
		for cpu := 1; cpu < ncpu; cpu++ {
			if Current(cpu) == 0 {
				given++ // or the one who has it, and was told to look, will give it
			}
		}
		settle(f)
		checkSettled(t, f)
	}
	t.Logf("%d times a CPU went idle and was given a task", given)
}

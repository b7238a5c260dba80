package sched

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// torture runs the workload on goroutines as CPUs until every task has exited. A CPU that halts polls for its IPI and timer.
func torture(t *testing.T, ncpu, nnodes, ntasks, births int, affinity, pairs bool) {
	f := boot(t, ncpu, nnodes, ntasks, 0)
	quanta[ClassNormal.rank()].Store(3000)
	w := newWorkload(t, f, births, 40)
	w.affinity, w.pairs = affinity, pairs
	for i := range ntasks / 2 {
		w.spawn(0, uint64(i)*7919)
	}
	var polls atomic.Int64 // of idle CPUs since the last step
	var lastSteps atomic.Int64
	var wg sync.WaitGroup
	for cpu := range ncpu {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(cpu), 5))
			for w.live.Load() > 0 && !t.Failed() {
				id := Leave(cpu)
				if id == 0 {
					for !f.interrupt(cpu) && w.live.Load() > 0 && !t.Failed() {
						f.clock.Add(20)
						if s := w.steps.Load(); lastSteps.Swap(s) != s {
							polls.Store(0)
						} else if polls.Add(1) > 3_000_000 {
							t.Errorf("nothing moves: %d tasks live", w.live.Load())
						}
						if n := Tasks(); n > 1 && rng.IntN(16) == 0 {
							w.post(cpu, ID(1+rng.IntN(int(n-1)))) // as a device would
							break
						}
						runtime.Gosched()
					}
					continue
				}
				for i := 0; !Get(id).mayRun(cpu) && !NeedLeave(cpu); i++ {
					if i > 1_000_000 { // SetAffinity stores the mask, then tells us
						t.Errorf("CPU %d runs task %d against its affinity", cpu, id)
						break
					}
					runtime.Gosched()
				}
				if f.interrupt(cpu) {
					continue
				}
				w.step(cpu, id)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		for cpu := range ncpu {
			t.Logf("CPU %d: %+v, need %d, idle %v", cpu, Stats(cpu), cpus[cpu].need.Load(), cpus[cpu].idle)
		}
		for id := ID(1); id < min(Tasks(), 50); id++ {
			t.Logf("task %d: %+v, waits %v", id, Info(id), w.prog[id].waits)
		}
		return
	}
	check(t)
	checkNodes(t)
	for id := ID(1); id < Tasks(); id++ {
		if i := Info(id); i.State != StateFree {
			t.Errorf("task %d is left: %+v", id, i)
		}
	}
	var pulls, preemptions uint64
	for cpu := range ncpu {
		s := Stats(cpu)
		pulls += s.Pulls
		preemptions += s.Preemptions
	}
	t.Logf("%d steps, %d wakeups, %d timeouts, %d signals, %d pulls, %d preemptions, %d IPIs, %d hand-overs", w.steps.Load(), w.wakes.Load(),
		w.timeouts.Load(), w.signals.Load(), pulls, preemptions, f.kicks.Load(), w.handed.Load())
	if w.pairs && ncpu == 2 && w.handed.Load() == 0 || w.wakes.Load() == 0 || w.timeouts.Load() == 0 || w.signals.Load() == 0 {
		t.Error("the workload left something out")
	}
}

func TestTorture2CPUs(t *testing.T)         { torture(t, 2, 1, 40, 500, false, false) }
func TestTorture8CPUs(t *testing.T)         { torture(t, 8, 2, 100, 700, false, false) }
func TestTorture8CPUsAffinity(t *testing.T) { torture(t, 8, 4, 60, 700, true, false) }
func TestTorture64CPUs(t *testing.T)        { torture(t, 64, 8, 200, 300, true, false) }
func TestTorturePairs2CPUs(t *testing.T)    { torture(t, 2, 1, 20, 500, true, true) }
func TestTorturePairs8CPUs(t *testing.T)    { torture(t, 8, 2, 60, 700, true, true) }

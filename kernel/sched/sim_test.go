package sched

import (
	"math/rand/v2"
	"testing"
)

// simulate runs the workload on a machine whose CPUs take turns by a seed, each turn from trap to trap, and checks every
// structure after every `every` turns.
func simulate(tb testing.TB, seed uint64, ncpu, nnodes, ntasks, births, length, every int) *workload {
	f := bootWith(tb, ncpu, nnodes, ntasks, 0, func(m *Machine) { m.Seed = seed })
	SetStrategy(Strategy(seed % uint64(Strategies)))
	SetStealBatch(1 << (seed % 6))
	SetBalanceGap(MinBalanceGap)
	SetBalancePeriod(MinBalancePeriod)
	quanta[ClassNormal.rank()].Store(3000)
	w := newWorkload(tb, f, births, length)
	w.affinity = seed%2 == 0
	rng := rand.New(rand.NewPCG(seed, 3))
	for range min(ntasks, births*9/10) {
		w.spawn(rng.IntN(ncpu), rng.Uint64())
	}
	turn := func(cpu int) (busy bool) {
		if !f.interrupt(cpu) {
			if id := Current(cpu); id != 0 {
				w.step(cpu, id)
			}
		}
		id := Leave(cpu)
		if id != 0 && !Get(id).mayRun(cpu) {
			tb.Fatalf("seed %d: CPU %d runs task %d against its affinity", seed, cpu, id)
		}
		return id != 0
	}
	idle := 0 // turns since a CPU was found busy
	for n := 1; w.live.Load() > 0; n++ {
		if idle++; turn(rng.IntN(ncpu)) {
			idle = 0
		}
		if n%every == 0 {
			check(tb)
			if n%(64*every) == 0 {
				checkNodes(tb)
			}
			settle(f)
			checkSettled(tb, f)
			if tb.Failed() {
				tb.Fatalf("seed %d, turn %d", seed, n)
			}
		}
		if idle < 2*ncpu {
			continue
		}
		settle(f)
		next, runs := uint64(Never), false
		for cpu := range ncpu {
			runs = runs || Current(cpu) != 0
			next = min(next, f.armed[cpu].Load())
		}
		switch {
		case runs:
		case next != Never:
			f.clock.Store(max(next, f.clock.Load()))
		default:
			// All wait for posts: each really waits, and one gets its post, as from an interrupt.
			var waiter ID
			for id := ID(1); id < Tasks(); id++ {
				s, seq := Get(id).State()
				if s == StateFree {
					continue
				}
				if s != StateBlocked || !w.prog[id].waits || w.prog[id].seq != seq {
					tb.Fatalf("seed %d: all CPUs idle, task %d in state %d, sleep %d of %d, waits %v", seed, id, s, seq,
						w.prog[id].seq, w.prog[id].waits)
				}
				waiter = id
				if rng.IntN(4) > 0 {
					w.post(rng.IntN(ncpu), id)
				}
			}
			if waiter == 0 {
				tb.Fatalf("seed %d: %d tasks live, none found", seed, w.live.Load())
			}
			w.post(rng.IntN(ncpu), waiter)
		}
	}
	checkNodes(tb)
	return w
}

func TestSimulation(t *testing.T) {
	for seed := range uint64(10) {
		ncpu := []int{1, 2, 3, 8, 70}[seed%5]
		w := simulate(t, seed, ncpu, min(ncpu, 1+int(seed%4)), 40, 100, 40, 1+int(seed%7)+ncpu)
		if w.timeouts.Load() == 0 || w.wakes.Load() == 0 {
			t.Fatalf("seed %d: %d timeouts, %d wakeups", seed, w.timeouts.Load(), w.wakes.Load())
		}
	}
}

func TestSimulation10000Tasks64CPUs(t *testing.T) {
	simulate(t, 4, 64, 8, 10_000, 10_500, 3, 50_000)
}

// TestSimulationRepeats keeps the scheduler deterministic: no outcome depends on addresses or real time.
func TestSimulationRepeats(t *testing.T) {
	var clock, kicks uint64
	for i := range 2 {
		w := simulate(t, 6, 8, 2, 40, 100, 40, 5)
		if i > 0 && (w.f.clock.Load() != clock || w.f.kicks.Load() != kicks) {
			t.Fatalf("the same seed took %d ns and %d IPIs, then %d and %d", clock, kicks, w.f.clock.Load(), w.f.kicks.Load())
		}
		clock, kicks = w.f.clock.Load(), w.f.kicks.Load()
	}
}

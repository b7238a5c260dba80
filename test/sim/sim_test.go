//go:build !race

package sim

import (
	"testing"

	"pdac/kernel/sched"
)

func TestScenarios(t *testing.T) {
	for _, s := range Scenarios {
		t.Run(s.Name, func(t *testing.T) {
			for _, cpus := range []int{1, 3, 16} {
				for seed := range uint64(3) {
					last := uint64(0)
					for _, scale := range []float64{0.5, 1, 2} {
						cfg := Config{Topology: uniform(t, cpus, min(cpus, 2)), Costs: Committed(scale), Seed: seed}
						r := simulate(t, s.Name, cfg, 0.05)
						if r.Makespan < r.Least {
							t.Errorf("%d CPUs, seed %d, costs x %g: made in %d ns, and %d is the least", cpus, seed, scale, r.Makespan, r.Least)
						}
						if r.Switches < r.Tasks || r.Waits.n != r.Switches || r.Jain > 1.000001 {
							t.Errorf("%d tasks, %d switches, %d waits, Jain %f", r.Tasks, r.Switches, r.Waits.n, r.Jain)
						}
						var sum uint64
						for _, ns := range r.Spent {
							sum += ns
						}
						// To the last task's end; CPUs look for work a little longer, and those that are in the kernel then have paid ahead.
						if total := r.Makespan * uint64(cpus); sum < total || sum > total+total/4 {
							t.Errorf("%d CPUs, costs x %g: %d ns accounted of %d", cpus, scale, sum, total)
						}
						if fixed := s.Name == "fork-join" || s.Name == "flat" || s.Name == "oversubscribed"; fixed && last != 0 && r.Computed() != last {
							t.Errorf("computed %d ns, then %d", last, r.Computed())
						}
						last = r.Computed()
					}
				}
			}
		})
	}
}

// TestSameSeedSameTrace keeps simulator and scheduler deterministic.
func TestSameSeedSameTrace(t *testing.T) {
	for _, s := range Scenarios {
		seen := map[uint64]uint64{}
		for seed := range uint64(4) {
			var hash uint64
			for i := range 2 {
				cfg := Config{Topology: uniform(t, 8, 2), Costs: Committed(1), Seed: seed, Stalls: Stalls{Rate: 1000, Mean: 20_000}}
				r := simulate(t, s.Name, cfg, 0.05)
				if i > 0 && r.Hash != hash {
					t.Errorf("%s, seed %d: %x, then %x", s.Name, seed, hash, r.Hash)
				}
				hash = r.Hash
			}
			if other, ok := seen[hash]; ok {
				t.Errorf("%s: the same trace from seeds %d and %d", s.Name, other, seed)
			}
			seen[hash] = seed
		}
	}
}

func TestStalledCPUs(t *testing.T) {
	for _, s := range Scenarios {
		for seed := range uint64(5) {
			cfg := Config{Topology: uniform(t, 8, 2), Costs: Committed(1), Seed: seed, Stalls: Stalls{Rate: 10_000, Mean: 100_000}}
			if r := simulate(t, s.Name, cfg, 0.25); r.Stalled == 0 {
				t.Errorf("%s: no CPU stalled in %d events", s.Name, r.Events)
			}
		}
	}
}

// TestStrategies: whatever order victims come in, no rule is broken, and the CPUs are nearly as busy.
func TestStrategies(t *testing.T) {
	for strategy := range sched.Strategies {
		for seed := range uint64(5) {
			for _, s := range []string{"fork-join", "imbalance", "hot-node"} {
				cfg := Config{Topology: uniform(t, 24, 3), Costs: Committed(1), Seed: seed, Strategy: strategy}
				r := simulate(t, s, cfg, 0.25)
				if r.Steals == 0 || float64(r.Makespan) > 2*float64(r.Least) {
					t.Errorf("%s by %v, seed %d: %d steals, made in %d ns, and %d is the least", s, strategy, seed, r.Steals, r.Makespan, r.Least)
				}
			}
		}
	}
}

func TestEqualTasksShareEqually(t *testing.T) {
	for _, cpus := range []int{1, 4, 64} {
		cfg := Config{Topology: uniform(t, cpus, min(cpus, 2)), Costs: Committed(1)}
		if r := simulate(t, "oversubscribed", cfg, 0.5); r.Jain < 0.99 || r.Preemptions == 0 {
			t.Errorf("%d CPUs: Jain's index %.4f, %d preemptions", cpus, r.Jain, r.Preemptions)
		}
	}
}

// TestForkJoinSpeedUp64CPUs wants 56 at the committed costs; half and twice are there to tell how much hangs on them.
func TestForkJoinSpeedUp64CPUs(t *testing.T) {
	for _, c := range []struct {
		nodes int
		scale float64
		want  float64
	}{{1, 1, 56}, {2, 0.5, 58}, {2, 1, 56}, {2, 2, 48}, {8, 1, 56}} {
		r := simulate(t, "fork-join", Config{Topology: uniform(t, 64, c.nodes), Costs: Committed(c.scale)}, 1)
		t.Logf("%d nodes, costs x %g: speed-up %.2f", c.nodes, c.scale, r.Speedup())
		if r.Speedup() < c.want {
			t.Errorf("%d nodes, costs x %g: speed-up %.2f, expected at least %g:\n%s", c.nodes, c.scale, r.Speedup(), c.want, r.Profile())
		}
	}
}

// TestAllTaskNumbers has every number that there is alive at a time, on as many CPUs as there can be.
func TestAllTaskNumbers(t *testing.T) {
	cfg := Config{Topology: uniform(t, sched.MaxCPUs, 8), Costs: Committed(1), Check: true}
	w := newCrowd(sched.MaxTasks-1, 1_000_000)
	r, err := Run(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	if r.Tasks != sched.MaxTasks-1 || r.Computed() != (sched.MaxTasks-1)*w.each {
		t.Errorf("%d tasks computed %d ns", r.Tasks, r.Computed())
	}
}

package sim

import "testing"

func uniform(t testing.TB, cpus, nodes int) *Topology {
	t.Helper()
	top, err := Uniform(cpus, nodes)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// simulate runs a scenario with all checks, and prints how to repeat what fails.
func simulate(t testing.TB, name string, cfg Config, size float64) *Result {
	t.Helper()
	s, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Check = true
	r, err := Run(cfg, s.Make(len(cfg.Topology.Node), size))
	if err != nil {
		t.Fatalf("%s on %d CPUs, size %g: %v\nagain: go run ./test/sim/run -scenario=%s -cpus=%d -nodes=%d -size=%g -seed=%d -stall=%d -trace", name,
			len(cfg.Topology.Node), size, err, name, len(cfg.Topology.Node), len(cfg.Topology.Distance), size, cfg.Seed, cfg.Stalls.Rate)
	}
	return r
}

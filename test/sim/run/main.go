// Run simulates the scheduler: one scenario or all, at half, once and twice the committed costs.
//
//	go run ./test/sim/run [-scenario NAME] [-cpus N] [-nodes N] [-acpi DIR] [-seed N] [-scale F] [-size F]
//	                      [-steal STRATEGY] [-stall RATE] [-check=false] [-bound NS] [-profile] [-trace] [-costs] [-list]
//
// The same flags give the same hash. A run that breaks a rule ends with status 1 and the command that repeats it.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"pdac/kernel/sched"
	"pdac/test/sim"
)

type options struct {
	scenario, acpi, steal       string
	cpus, nodes                 int
	seed, bound                 uint64
	scale, size                 float64
	stall                       uint
	check, profile, trace, list bool
	costs                       bool
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := run(os.Args[1:], out)
	out.Flush()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func parse(args []string) (o options, set *flag.FlagSet, err error) {
	set = flag.NewFlagSet("run", flag.ContinueOnError)
	set.StringVar(&o.scenario, "scenario", "", "the scenario to run; all if empty")
	set.StringVar(&o.acpi, "acpi", "", "a folder with a real machine's APIC.bin, SRAT.bin and SLIT.bin, instead of -cpus and -nodes")
	set.IntVar(&o.cpus, "cpus", 64, "CPUs, 1 to 1,024")
	set.IntVar(&o.nodes, "nodes", 2, "NUMA nodes, at distance 21")
	set.Uint64Var(&o.seed, "seed", 1, "of all that is random")
	set.Uint64Var(&o.bound, "bound", 0, "ns for which a CPU may be idle while a task waits; 0: 100 us")
	set.Float64Var(&o.scale, "scale", 0, "costs, times the committed ones; 0: half, once and twice")
	set.Float64Var(&o.size, "size", 1, "of the scenario, times the usual one")
	set.StringVar(&o.steal, "steal", sched.Affinity.String(), "by which idle CPUs choose their victims: affinity, random, circular")
	set.UintVar(&o.stall, "stall", 0, "of 65,536 events, how many a hypervisor delays, by 50 us on average")
	set.BoolVar(&o.check, "check", true, "check the scheduler after every event")
	set.BoolVar(&o.profile, "profile", false, "print what the CPUs' time went to")
	set.BoolVar(&o.trace, "trace", false, "print every step")
	set.BoolVar(&o.costs, "costs", false, "print the costs and their sources")
	set.BoolVar(&o.list, "list", false, "print the scenarios")
	return o, set, set.Parse(args)
}

func run(args []string, out io.Writer) error {
	o, set, err := parse(args)
	if err != nil {
		return err
	}
	switch {
	case o.costs:
		for i, ns := range sim.Committed(1) {
			name, source := sim.Cost(i).Source()
			fmt.Fprintf(out, "%-10s %5d ns  %s\n", name, ns, source)
		}
		return nil
	case o.list:
		for _, s := range sim.Scenarios {
			fmt.Fprintf(out, "%-15s %s\n", s.Name, s.About)
		}
		return nil
	}
	top, err := sim.Uniform(o.cpus, o.nodes)
	if o.acpi != "" {
		top, err = sim.FromACPI(o.acpi)
	}
	if err != nil {
		return err
	}
	strategy := sched.Affinity
	for strategy.String() != o.steal {
		if strategy++; strategy == sched.Strategies {
			return fmt.Errorf("%q is none of affinity, random, circular", o.steal)
		}
	}
	scenarios := sim.Scenarios
	if o.scenario != "" {
		s, err := sim.Find(o.scenario)
		if err != nil {
			return err
		}
		scenarios = []sim.Scenario{*s}
	}
	scales := []float64{0.5, 1, 2}
	if o.scale != 0 {
		scales = []float64{o.scale}
	}
	fmt.Fprintf(out, "%d CPUs, %d nodes, seed %d\n%s\n", len(top.Node), len(top.Distance), o.seed, sim.Header)
	for _, s := range scenarios {
		for _, f := range scales {
			cfg := sim.Config{
				Topology: top, Costs: sim.Committed(f), Seed: o.seed, Check: o.check, Bound: o.bound,
				Strategy: strategy,
				Stalls:   sim.Stalls{Rate: uint32(o.stall), Mean: 50_000},
			}
			if o.trace {
				cfg.Trace = out
			}
			r, err := sim.Run(cfg, s.Make(len(top.Node), o.size))
			if err != nil {
				return fmt.Errorf("%s, costs x %g: %w\nagain: %s", s.Name, f, err, again(set, s.Name, f))
			}
			fmt.Fprintln(out, r.Row(s.Name, f))
			if r.Note != "" {
				fmt.Fprintf(out, "%16s%s\n", "", r.Note)
			}
			if o.profile {
				fmt.Fprintf(out, "%15s%s\n", "", r.Profile())
			}
		}
	}
	return nil
}

// again is the command that repeats a run, with its trace.
func again(set *flag.FlagSet, scenario string, scale float64) string {
	var b strings.Builder
	b.WriteString("go run ./test/sim/run")
	set.Visit(func(f *flag.Flag) {
		if f.Name != "scenario" && f.Name != "scale" && f.Name != "trace" {
			fmt.Fprintf(&b, " -%s=%s", f.Name, f.Value)
		}
	})
	fmt.Fprintf(&b, " -scenario=%s -scale=%g -trace", scenario, scale)
	return b.String()
}

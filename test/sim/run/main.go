// Run simulates the scheduler: one scenario or all, at half, once and twice the committed costs.
//
//	go run ./test/sim/run [-scenario NAME] [-cpus N] [-nodes N] [-acpi DIR] [-seed N] [-scale F] [-size F]
//	                      [-stall RATE] [-profile] [-trace] [-costs]
//
// The same flags give the same hash. A run that breaks a rule ends with status 1 and the command that repeats it.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"

	"pdac/test/sim"
)

var (
	scenario = flag.String("scenario", "", "one of the scenarios; all if empty")
	cpus     = flag.Int("cpus", 64, "CPUs, 1 to 1,024")
	nodes    = flag.Int("nodes", 2, "NUMA nodes, at distance 21")
	tables   = flag.String("acpi", "", "a folder with a real machine's APIC.bin, SRAT.bin and SLIT.bin, instead of -cpus and -nodes")
	seed     = flag.Uint64("seed", 1, "of all that is random")
	scale    = flag.Float64("scale", 0, "costs, times the committed ones; 0: half, once and twice")
	size     = flag.Float64("size", 1, "of the scenario, times the usual one")
	stall    = flag.Uint("stall", 0, "of 65,536 events, how many a hypervisor delays, by 50 us on average")
	profile  = flag.Bool("profile", false, "print what the CPUs' time went to")
	trace    = flag.Bool("trace", false, "print every step")
	costs    = flag.Bool("costs", false, "print the costs and their sources")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	top, err := sim.Uniform(*cpus, *nodes)
	if *tables != "" {
		top, err = sim.FromACPI(*tables)
	}
	if err != nil {
		return err
	}
	if *costs {
		printCosts()
		return nil
	}
	scenarios := sim.Scenarios
	if *scenario != "" {
		s, err := sim.Find(*scenario)
		if err != nil {
			return err
		}
		scenarios = []sim.Scenario{*s}
	}
	scales := []float64{0.5, 1, 2}
	if *scale != 0 {
		scales = []float64{*scale}
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintf(out, "%d CPUs, %d nodes, seed %d\n", len(top.Node), len(top.Distance), *seed)
	fmt.Fprintln(out, sim.Header)
	for _, s := range scenarios {
		for _, f := range scales {
			cfg := sim.Config{
				Topology: top, Costs: sim.Committed(f), Seed: *seed,
				Stalls: sim.Stalls{Rate: uint32(*stall), Mean: 50_000},
				Check:  true,
			}
			if *trace {
				cfg.Trace = out
			}
			r, err := sim.Run(cfg, s.Make(len(top.Node), *size))
			if err != nil {
				out.Flush()
				return fmt.Errorf("%s, costs x %g: %w\nagain: %s", s.Name, f, err, again(s.Name, f))
			}
			fmt.Fprintln(out, r.Row(s.Name, f))
			if *profile {
				fmt.Fprintln(out, r.Profile())
			}
			out.Flush()
		}
	}
	return nil
}

// again is the command that repeats a run, with its trace.
func again(scenario string, scale float64) string {
	args := []string{"go run ./test/sim/run"}
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "scenario" && f.Name != "scale" && f.Name != "trace" {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	return strings.Join(args, " ") + fmt.Sprintf(" -scenario=%s -scale=%g -trace", scenario, scale)
}

func printCosts() {
	c := sim.Committed(1)
	for i, ns := range c {
		name, source := sim.Cost(i).Source()
		fmt.Printf("%-10s %5d ns  %s\n", name, ns, source)
	}
}

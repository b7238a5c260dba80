// Compare measures PDAC's tables, queues, deque and read sections beside those of others in one run on the
// host, and prints the figures, their ratios, and the goals beside what was reached. It is host
// code.
//
//	go run -C test/bench/peers ./compare [-rounds 5] [-sizes 1024,65536,1048576] [-only tables,queues,deque,sections,grace,memory,check] [-tables NAMES]
//
// With the tags liburcu and ck those libraries are measured too, where they are installed (Debian:
// liburcu-dev, libck-dev); make bench-peers finds out. Rounds go through all contestants in turn,
// and a figure is the median over the rounds. One large table is alive at a time. Times are wall
// time, so the machine should have nothing else to do; package measure says what is done where it
// has.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"pdac/test/bench/peers/measure"
	"pdac/test/bench/peers/table"
)

// minRounds is what a median is worth printing of.
const minRounds = 5

type options struct {
	rounds int
	sizes  []int    // entries of the tables
	tables []string // parts of the names of the tables wanted beside those compared with
}

// A part measures into samples and prints what it measured; goals are drawn from the samples
// afterwards.
type part struct {
	name string
	run  func(*measure.Samples, options) error
}

var parts = []part{
	{"tables", runTables},
	{"queues", runQueues},
	{"deque", runDeques},
	{"sections", runSections},
	{"grace", runGraces},
	{"memory", runMemory},
	{"check", runCheck},
}

func main() {
	rounds := flag.Int("rounds", minRounds, "rounds, of which the median is taken")
	sizes := flag.String("sizes", "1024,65536,1048576", "entries of the tables")
	only := flag.String("only", "", "parts to run, separated by commas")
	of := flag.String("tables", "", "measure no tables but "+table.XsyncMap+", the control, and those with one of these in their name, separated by commas")
	flag.Parse()
	if err := run(options{rounds: *rounds, tables: strings.Split(*of, ",")}, *sizes, *only); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(o options, sizes, only string) error {
	if o.rounds < 1 {
		return fmt.Errorf("no rounds")
	}
	for f := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(f)
		if err != nil || n < 64 || n > 1<<24 {
			return fmt.Errorf("size %q: want 64 to %d", f, 1<<24)
		}
		o.sizes = append(o.sizes, n)
	}
	chosen := parts
	if only != "" {
		names := strings.Split(only, ",")
		chosen = slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !slices.Contains(names, p.name) })
		if len(chosen) != len(names) {
			return fmt.Errorf("no such part in %q", only)
		}
	}
	fmt.Printf("%s, %s/%s, %d CPUs, %d rounds\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), o.rounds)
	s := measure.New()
	for _, p := range chosen {
		fmt.Printf("\n== %s\n", p.name)
		if err := p.run(s, o); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if taken, noisy := s.Quality(); taken > 0 {
		fmt.Printf("\n%d samples, of which %d were disturbed at each attempt: other work had the CPUs\n", taken, noisy)
	}
	printGoals(os.Stdout, s, o)
	return nil
}

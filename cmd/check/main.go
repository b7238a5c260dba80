// Check runs the project's test suites on the host, one after the other, and
// sums them up. It is what make test and CI run.
//
//	check [-long] [SUITE...]
//
// Each suite prints the packages as they end, the output of what failed, and
// its seconds. The last line is "N passed, N failed" over all suites; the
// status is 1 if anything failed.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// A suite is a command. The output of "go test -json" is counted test by test;
// of another command, a last line "N passed, N failed" counts, or else its status.
type suite struct {
	name string
	long bool // with -long only
	argv []string
}

// boot lets tests run that build an image or start QEMU.
const boot = "PDAC_BOOT=1"

var suites = []suite{
	{name: "format", argv: []string{"bash", "-c", `! find . -name build -prune -o -name '*.go' -print0 | xargs -0 gofmt -l | grep .`}},
	{name: "vet", argv: []string{"go", "vet", "./..."}},
	{name: "vet-peers", argv: []string{"go", "vet", "-C", "test/bench/peers", "./..."}},
	{name: "vet-image", argv: []string{"go", "run", "./cmd/kbuild", "-vet"}},
	{name: "host", argv: []string{"go", "test", "-json", "-race", "./..."}},
	{name: "torture", argv: []string{"scripts/torture.sh", "15"}}, // seconds for each of four packages
	{name: "image", argv: []string{"env", boot, "go", "test", "-json", "./test/imports", "./test/callgraph"}},
	{name: "boot", argv: []string{"env", boot, "go", "test", "-json", "-timeout", "20m", "./test/boot"}},
	{name: "bench", argv: []string{"env", boot, "go", "test", "-json", "./test/bench/linux/compare"}},
	{name: "std", argv: []string{"go", "run", "./test/std", "sort", "strings", "sync", "time"}},
	{name: "soak", long: true, argv: []string{"env", boot, "PDAC_SOAK=900", "go", "test", "-json", "-run", "TestSoak$", "-count=3", "-timeout", "2h", "./test/boot"}},
	{name: "crowd", long: true, argv: []string{"env", boot, "PDAC_LONG=1", "go", "test", "-json", "-run", "TestCrowd$", "-count=1", "-timeout", "30m", "./test/boot"}},
	{name: "soak-stalls", long: true, argv: []string{"env", boot, "PDAC_SOAK=600", "go", "test", "-json", "-run", "TestStalls", "-count=1", "-timeout", "2h", "./test/boot"}},
	{name: "torture-long", long: true, argv: []string{"scripts/torture.sh", "600"}},
	{name: "std-all", long: true, argv: []string{"go", "run", "./test/std"}},
}

func main() {
	long := flag.Bool("long", false, "run the long suites too")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: check [-long] [SUITE...]")
		for _, s := range suites {
			fmt.Fprintf(flag.CommandLine.Output(), "  %-12s %s\n", s.name, strings.Join(s.argv, " "))
		}
	}
	flag.Parse()
	chosen, err := choose(suites, flag.Args(), *long)
	if err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(2)
	}

	var sum tally
	for _, s := range chosen {
		fmt.Printf("== %s\n", s.name)
		start := time.Now()
		t := s.run(os.Stdout)
		fmt.Printf("== %s: %d passed, %d failed, %d skipped, %.0f s\n", s.name, t.passed, t.failed, t.skipped, time.Since(start).Seconds())
		sum.add(t)
	}
	fmt.Printf("%d passed, %d failed\n", sum.passed, sum.failed)
	if sum.failed > 0 {
		os.Exit(1)
	}
}

// choose returns the suites named, or all but the long ones.
func choose(all []suite, names []string, long bool) ([]suite, error) {
	for _, n := range names {
		if !slices.ContainsFunc(all, func(s suite) bool { return s.name == n }) {
			return nil, fmt.Errorf("no suite %q", n)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(s suite) bool {
		if len(names) > 0 {
			return !slices.Contains(names, s.name)
		}
		return s.long && !long
	}), nil
}

// Std runs the tests of Go's standard library in the guest: it builds the test
// binary of each package as an image, boots it with the sources and testdata of
// GOROOT as its files, and reads the results off the console.
//
//	std [-cpus N] [-mem SIZE] [-timeout D] [PACKAGE...]
//
// A package, or a pattern like crypto/..., of the standard library; by default
// all those in packages.go. It prints a line for each:
//
//	PACKAGE ok|FAIL|skip PASSED FAILED SKIPPED SECONDS s
//
// Subtests count as tests, and tests named in skips.go as skipped. A package is
// skipped if it has no tests or can't run them, and the line ends in the reason. After the line of
// one that fails comes what its failed tests, or else the guest's last lines,
// said; the whole console is in build/std/PACKAGE.log. The last line is
// "N passed, N failed" over all; the status is 1 if anything failed.
//
// It runs on the host, in the root of the repository.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

func main() {
	var m machine
	flag.IntVar(&m.cpus, "cpus", min(max(runtime.NumCPU(), 2), 4), "CPUs of the guest, by default the host's but 2 to 4")
	flag.StringVar(&m.mem, "mem", "4G", "memory of the guest")
	flag.DurationVar(&m.timeout, "timeout", 20*time.Minute, "time-out of a package")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = everything
	}
	failed, err := run(m, patterns)
	if err != nil {
		fmt.Fprintln(os.Stderr, "std:", err)
		os.Exit(1)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// run tests the packages. While a guest runs, the next image is built.
func run(m machine, patterns []string) (failed int, err error) {
	pkgs, err := list(patterns)
	if err != nil {
		return 0, err
	}
	if err := prepare(); err != nil {
		return 0, err
	}
	images := make(chan image)
	go func() {
		for _, p := range pkgs {
			images <- build(p)
		}
		close(images)
	}()
	var sum tally
	for i := range images {
		start := time.Now()
		r := i.result(m)
		t := r.tally
		line := fmt.Sprintf("%s %s %d %d %d %.1f s %s", i.pkg.ImportPath, r.verdict, t.passed, t.failed, t.skipped, time.Since(start).Seconds(), r.reason)
		fmt.Println(strings.TrimSpace(line))
		fmt.Print(r.said)
		sum.add(t)
	}
	fmt.Printf("%d passed, %d failed\n", sum.passed, sum.failed)
	return sum.failed, nil
}

// command is a host command whose errors are shown.
func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	return cmd
}

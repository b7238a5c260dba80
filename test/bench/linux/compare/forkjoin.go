package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
)

const forkjoinFolder = "test/bench/forkjoin"

// forkjoinBoots is how often each guest boots, in turn with the other.
const forkjoinBoots = 3

// rounds are the times of a guest's rounds in ns, by the count of Ps.
type rounds map[int][]float64

// forkjoin has both guests sort on one and on two CPUs, and prints what the second is good for. The guest's clock is the
// host's, and so are the CPUs: a host that does other things shows in the times, less so in medians of rounds in turn.
func forkjoin() error {
	root, err := output("", "go", "list", "-m", "-f", "{{.Dir}}", "pdac")
	if err != nil {
		return err
	}
	image, err := buildPDAC(root, forkjoinFolder)
	if err != nil {
		return err
	}
	kernel, err := output(root, folder+"/fetch-kernel.sh")
	if err != nil {
		return err
	}
	archive, err := buildLinux(root, forkjoinFolder)
	if err != nil {
		return err
	}
	guests := []struct {
		name string
		args []string
		rounds
	}{
		{"Linux", []string{"--nodes", "0", "--kernel", kernel, "--initrd", archive, "--append", "console=ttyS0 quiet"}, rounds{}},
		{"PDAC", []string{"--nodes", "1", "--kernel", image, "--append", "console=off"}, rounds{}},
	}
	for range forkjoinBoots {
		for _, g := range guests {
			// What was printed tells: Linux ends by a reset, not by an exit code.
			out, _ := output(root, "scripts/run-qemu.sh", append([]string{"--accel", "tcg", "--cpus", "2", "--mem", memory, "--timeout", "300"}, g.args...)...)
			if n, err := g.read(out); err != nil || n == 0 {
				return fmt.Errorf("%s: %d rounds: %v\n%s", g.name, n, err, out)
			}
		}
	}
	fmt.Printf("%-8s %12s %12s %9s\n", "ms", "1 CPU", "2 CPUs", "speed-up")
	for _, g := range guests {
		one, two := median(g.rounds[1]), median(g.rounds[2])
		fmt.Printf("%-8s %12.1f %12.1f %9.2f\n", g.name, one/1e6, two/1e6, one/two)
	}
	return nil
}

// read takes the rounds from a guest's output, and counts them.
func (r rounds) read(out string) (n int, err error) {
	for s := bufio.NewScanner(strings.NewReader(out)); s.Scan(); {
		_, line, ok := strings.Cut(s.Text(), "FORKJOIN ")
		if !ok {
			continue
		}
		var procs int
		var ns float64
		if _, err := fmt.Sscan(line, &procs, &ns); err != nil {
			return n, fmt.Errorf("line %q: %w", line, err)
		}
		r[procs] = append(r[procs], ns)
		n++
	}
	return n, nil
}

// median returns the median of times; 0 if there are none.
func median(times []float64) float64 {
	if len(times) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(times))[len(times)/2]
}

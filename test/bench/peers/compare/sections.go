package main

import (
	"fmt"
	"os"
	"slices"

	"pdac/test/bench/peers/ck"
	"pdac/test/bench/peers/liburcu"
	"pdac/test/bench/peers/measure"
	"pdac/test/bench/peers/readside"
)

func sections() []readside.Kind {
	return slices.Concat(readside.Peers(), liburcu.ReadSides(), ck.ReadSides(), readside.Own())
}

// sectionName names a figure, in ns per section of one worker.
func sectionName(kind string, cpus int) string {
	return fmt.Sprintf("section/%s/%d", kind, cpus)
}

func runSections(s *measure.Samples, o options) error {
	loops := make([]func(worker, n int) int, len(sections()))
	for i, k := range sections() {
		loops[i] = k.New()
	}
	for range o.rounds {
		for i, k := range sections() {
			for _, p := range cpus {
				s.Run(sectionName(k.Name, p), p, p, loops[i])
			}
		}
	}
	g := grid{{"begin, load, end, ns", "1 CPU", "2 CPUs"}}
	for _, k := range sections() {
		row := []string{k.Name}
		for _, p := range cpus {
			row = append(row, cell(s, sectionName(k.Name, p), 0))
		}
		g = append(g, row)
	}
	g.print(os.Stdout)
	return nil
}

func graces() []readside.Grace {
	return slices.Concat(liburcu.Graces(), ck.Graces(), readside.OwnGraces())
}

// graceName names a figure, in ns per grace period.
func graceName(kind string) string { return "grace/" + kind }

func runGraces(s *measure.Samples, o options) error {
	for range o.rounds {
		for _, k := range graces() {
			wait, end := k.New()
			s.Run(graceName(k.Name), 2, 1, func(_, n int) int {
				wait(n)
				return n
			})
			end()
		}
	}
	g := grid{{"wait for readers, the second idle", "ns"}}
	for _, k := range graces() {
		g = append(g, []string{k.Name, cell(s, graceName(k.Name), 0)})
	}
	g.print(os.Stdout)
	return nil
}

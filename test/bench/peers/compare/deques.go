package main

import (
	"fmt"
	"os"

	"pdac/test/bench/peers/deque"
	"pdac/test/bench/peers/measure"
)

// robbery is how a deque is used: by its owner in bursts, alone or with a thief on another CPU.
type robbery struct {
	name           string
	burst          int
	thief, backOff bool
}

var robberies = []robbery{
	{"1 at a time", 1, false, false},
	{"16", 16, false, false},
	{"1, thief", 1, true, false},
	{"16, thief", 16, true, false},
	{"1, patient thief", 1, true, true},
	{"16, patient thief", 16, true, true},
}

// dequeName names a figure, in ns per word that was pushed, and popped or stolen.
func dequeName(kind string, r robbery) string {
	return fmt.Sprintf("deque/%s/%s", kind, r.name)
}

func runDeques(s *measure.Samples, o options) error {
	for range o.rounds {
		for _, k := range deque.All() {
			for _, r := range robberies {
				d, round, cpus := k.New(), new(deque.Round), 1
				if r.thief {
					cpus = 2
				}
				s.Run(dequeName(k.Name, r), cpus, cpus, func(worker, n int) int {
					return deque.Share(d, round, r.burst, r.backOff, worker, n)
				})
			}
		}
	}
	header := []string{"pushed and popped, ns"}
	for _, r := range robberies {
		header = append(header, r.name)
	}
	g := grid{header}
	for _, k := range deque.All() {
		row := []string{k.Name}
		for _, r := range robberies {
			peer, _ := s.Median(dequeName(deque.Textbook, r))
			row = append(row, cell(s, dequeName(k.Name, r), peer))
		}
		g = append(g, row)
	}
	g.print(os.Stdout)
	fmt.Printf("per word; in brackets how many times as fast as %s\n", deque.Textbook)
	return nil
}

// dequeVerdicts judges the owner alone like for like, and with a thief ours, whose thieves wait, beside
// the textbook's, which do not.
func dequeVerdicts(s *measure.Samples) []verdict {
	alone := verdict{goal: "deque, push and pop: times as fast as " + deque.Textbook, bound: 1.15, atLeast: true}
	robbed := verdict{goal: "deque with a thief, which waits in vain: times as fast", bound: 3, atLeast: true}
	for _, r := range robberies {
		v, eager := &alone, r
		if r.thief {
			v, eager = &robbed, robberies[2]
			if r.burst != eager.burst {
				eager = robberies[3]
			}
		}
		ours, ok := s.Median(dequeName(deque.Ours, r))
		peer, has := s.Median(dequeName(deque.Textbook, eager))
		if ok && has && r.backOff == r.thief {
			v.worst(peer/ours, r.name)
		}
	}
	return []verdict{alone, robbed}
}

package main

import (
	"fmt"
	"os"
	"slices"

	"pdac/test/bench/peers/ck"
	"pdac/test/bench/peers/measure"
	"pdac/test/bench/peers/queue"
)

// traffic is how a queue is used: by as many producers as consumers, or by one worker that is both.
type traffic struct {
	name          string
	cpus, workers int
}

var traffics = []traffic{
	{"pairs, 1 CPU", 1, 1},
	{"1 to 1", 2, 2},
	{"2 to 2", 2, 4},
}

func queues() []queue.Kind {
	return slices.Concat(queue.Peers(), ck.Queues(), queue.Own())
}

// queueName names a figure, in ns per word that went through.
func queueName(kind string, t traffic) string {
	return fmt.Sprintf("queue/%s/%s", kind, t.name)
}

func runQueues(s *measure.Samples, o options) error {
	for range o.rounds {
		for _, k := range queues() {
			for _, t := range traffics {
				q := k.New()
				s.Run(queueName(k.Name, t), t.cpus, t.workers, func(worker, n int) int {
					if t.workers == 1 {
						return q.Pairs(n)
					}
					return queue.Pass(q, worker, t.workers, n)
				})
			}
		}
	}
	header := []string{fmt.Sprintf("%d places, ns", queue.Capacity)}
	for _, t := range traffics {
		header = append(header, t.name)
	}
	g := grid{header}
	for _, k := range queues() {
		row := []string{k.Name}
		for _, t := range traffics {
			peer, _ := s.Median(queueName(queue.XsyncMPMC, t))
			row = append(row, cell(s, queueName(k.Name, t), peer))
		}
		g = append(g, row)
	}
	g.print(os.Stdout)
	fmt.Printf("per word, in and out, on 2 CPUs; in brackets how many times as fast as %s\n", queue.XsyncMPMC)
	return nil
}

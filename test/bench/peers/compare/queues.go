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

// batches is the use of those that take several words at once.
var batches = traffic{fmt.Sprintf("%d at a time", queue.Batch), 1, 1}

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
				passes, between := q.(queue.Queue)
				switch {
				case t.workers == 1:
					s.Run(queueName(k.Name, t), t.cpus, t.workers, func(_, n int) int { return q.Pairs(n) })
				case between:
					s.Run(queueName(k.Name, t), t.cpus, t.workers, func(worker, n int) int { return queue.Pass(passes, worker, t.workers, n) })
				}
			}
			if q, ok := k.New().(queue.Batcher); ok {
				s.Run(queueName(k.Name, batches), 1, 1, func(_, n int) int { return q.Batches(n / queue.Batch * queue.Batch) })
			}
		}
	}
	columns := append(slices.Clone(traffics), batches)
	header := []string{fmt.Sprintf("%d places, ns", queue.Capacity)}
	for _, t := range columns {
		header = append(header, t.name)
	}
	g := grid{header}
	for _, k := range queues() {
		row := []string{k.Name}
		for _, t := range columns {
			peer, _ := s.Median(queueName(queue.XsyncMPMC, t))
			row = append(row, cell(s, queueName(k.Name, t), peer))
		}
		g = append(g, row)
	}
	g.print(os.Stdout)
	fmt.Printf("per word, in and out, on 2 CPUs; in brackets how many times as fast as %s\n", queue.XsyncMPMC)
	return nil
}

// queueVerdicts judges the queue alone, and what it gains by taking several words at once.
func queueVerdicts(s *measure.Samples) (all []verdict) {
	faster := func(goal, peer string, pt traffic, ours string, ot traffic, bound float64) {
		p, ok := s.Median(queueName(peer, pt))
		f, has := s.Median(queueName(ours, ot))
		if ok && has {
			v := verdict{goal: goal, bound: bound, atLeast: true}
			v.worst(p/f, ot.name)
			all = append(all, v)
		}
	}
	alone := traffics[0]
	faster("queue, push and pop alone: times as fast as "+queue.XsyncMPMC, queue.XsyncMPMC, alone, queue.OursUnbounded, alone, 1.2)
	faster("queue, push and pop alone: times as fast as "+queue.Channel, queue.Channel, alone, queue.OursUnbounded, alone, 1.5)
	faster("queue, "+batches.name+": times as fast per word as one", queue.OursUnbounded, alone, queue.OursUnbounded, batches, 1.4)
	return all
}

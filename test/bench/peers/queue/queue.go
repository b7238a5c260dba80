// Package queue has bounded queues of words, each with the loops of a producer and a consumer,
// written out for each so that the call is no part of the figure.
package queue

import "runtime"

// Capacity of the queues, in words.
const Capacity = 1024

// Queue is an empty queue.
type Queue interface {
	// Pairs puts n words in and takes each out again at once, on one thread. It returns the sum of
	// what it took, n*(n-1)/2.
	Pairs(n int) int
	// Produce puts the n words from 0 on in.
	Produce(n int)
	// Consume takes n words out and returns their sum.
	Consume(n int) int
}

// Kind names a queue and makes one.
type Kind struct {
	Name string
	New  func() Queue
}

// Names that the report refers to.
const (
	XsyncMPMC = "xsync.MPMCQueue"
	Ours      = "lockfree.Bounded"
)

// Peers returns the queues of others.
func Peers() []Kind {
	return []Kind{
		{"channel", func() Queue { return make(channel, Capacity) }},
		{"Mutex, ring", func() Queue { return new(mutexRing) }},
		{XsyncMPMC, newXsync},
	}
}

// Pass has half of the workers produce n words in total and the other half consume them: the body
// of one worker. Workers are even in number.
func Pass(q Queue, worker, workers, n int) int {
	half := workers / 2
	k := worker / 2
	share := n*(k+1)/half - n*k/half
	if worker%2 == 0 {
		q.Produce(share)
		return 0
	}
	return q.Consume(share)
}

// A patience ends a spin that lasts by giving the CPU away: what full and empty queues that don't
// block need.
type patience int

func (p *patience) lose() {
	if *p++; *p >= 32 {
		runtime.Gosched()
	}
}

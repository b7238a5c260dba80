// Package queue has bounded queues of words, each with the loops of a producer and a consumer,
// written out for each so that the call is no part of the figure.
package queue

import "runtime"

// Capacity of the queues, in words.
const Capacity = 1024

// Paired is an empty queue.
type Paired interface {
	// Pairs puts n words in and takes each out again at once, on one thread. It returns the sum of
	// what it took, n*(n-1)/2.
	Pairs(n int) int
}

// Queue is an empty queue between threads.
type Queue interface {
	Paired
	// Produce puts the n words from 0 on in.
	Produce(n int)
	// Consume takes n words out and returns their sum.
	Consume(n int) int
}

// Kind names a queue and makes one.
type Kind struct {
	Name string
	New  func() Paired
}

// Batcher is a queue that takes several words at once.
type Batcher interface {
	// Batches puts n words in, Batch at a time, and takes each out again by itself, on one thread.
	// It returns the sum of what it took. n is a multiple of Batch.
	Batches(n int) int
}

// Batch is how many words a Batcher is given at a time.
const Batch = 16

// Names that the report refers to.
const (
	Channel       = "channel"
	XsyncMPMC     = "xsync.MPMCQueue"
	Ours          = "lockfree.Bounded"
	OursUnbounded = "lockfree.Queue"
)

// Peers returns the queues of others.
func Peers() []Kind {
	return []Kind{
		{Channel, func() Paired { return make(channel, Capacity) }},
		{"Mutex, ring", func() Paired { return new(mutexRing) }},
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

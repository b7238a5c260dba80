// Package deque has work-stealing deques of words, each with the loops of an owner and a thief,
// written out for each so that the call is no part of the figure.
package deque

import (
	"sync/atomic"

	"pdac/asm"
)

// Deque is an empty deque.
type Deque interface {
	// Own pushes the n words from 0 on in bursts, after each of which it pops until the deque is empty.
	// It returns the sum of what it popped.
	Own(n, burst int) int
	// Rob steals until the round is over, and waits after each attempt in vain if it is to back off.
	// It returns the sum of what it stole.
	Rob(r *Round, backOff bool) int
}

// Kind names a deque and makes one.
type Kind struct {
	Name string
	New  func() Deque
}

// Names that the report refers to.
const (
	Textbook = "Chase-Lev"
	Ours     = "lockfree.Deque"
)

// All returns the deques of others and kernel/lockfree's.
func All() []Kind {
	return []Kind{
		{"Mutex, slice", func() Deque { return new(mutexSlice) }},
		{Textbook, func() Deque { return newChaseLev() }},
		{Ours, func() Deque { return new(own) }},
	}
}

// Round says when an owner has finished, to thieves that run beside it.
type Round struct {
	finished atomic.Int64
	begun    int64
}

// Share is the body of one worker: the first owns the deque, the others steal. Thieves are one.
func Share(d Deque, r *Round, burst int, backOff bool, worker, n int) int {
	if worker == 0 {
		sum := d.Own(n, burst)
		r.finished.Add(1)
		return sum
	}
	r.begun++
	return d.Rob(r, backOff)
}

// over reports whether the owner has finished as many rounds as the thief has begun.
func (r *Round) over() bool { return r.finished.Load() >= r.begun }

// longest wait of a thief, in PAUSEs.
const longest = 1 << 8

// wait doubles with each attempt in vain.
type wait int

func (w *wait) lose() {
	for range *w {
		asm.Pause()
	}
	*w = min(2**w+1, longest)
}

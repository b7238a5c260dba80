package rcu

import "sync/atomic"

// sequence numbers rounds of something that one goroutine does for all who wait at that time:
// grace periods, batches of callbacks. As the Linux kernel's rcu_seq (kernel/rcu/rcu.h).
//
// Invariant: odd while a round is under way, and never less than before. The goroutine that made it
// odd alone makes it even.
//
// A caller wants a round that *began* after its call. If none is under way that is the next; if one
// is, it may have begun before, so it is the one after that. Nobody waits for a third.
type sequence struct{ n atomic.Uint64 }

// after returns the value from which on a whole round has passed since the call.
func (s *sequence) after() uint64 { return (s.n.Load() + 3) &^ 1 }

// reached says whether that value has come.
func (s *sequence) reached(at uint64) bool { return s.n.Load() >= at }

// begin begins a round, unless one is under way.
func (s *sequence) begin() bool {
	n := s.n.Load()
	return n&1 == 0 && s.n.CompareAndSwap(n, n+1)
}

func (s *sequence) end() { s.n.Add(1) }

// rounds returns how many have ended.
func (s *sequence) rounds() uint64 { return s.n.Load() / 2 }

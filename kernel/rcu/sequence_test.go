package rcu

import "testing"

// TestSequenceAfter: from any state, the round that after names is the first that begins after it.
func TestSequenceAfter(t *testing.T) {
	for _, c := range []struct{ now, want uint64 }{
		{0, 2}, // idle: the next round
		{1, 4}, // under way: it may have begun too early
		{2, 4}, {3, 6}, {100, 102}, {101, 104},
	} {
		var s sequence
		s.n.Store(c.now)
		if got := s.after(); got != c.want {
			t.Errorf("at %d: after is %d, want %d", c.now, got, c.want)
		}
	}
}

func TestSequenceRounds(t *testing.T) {
	var s sequence
	if !s.begin() || s.begin() {
		t.Fatal("one round must begin, and no second meanwhile")
	}
	at := s.after()
	s.end()
	if s.reached(at) || s.rounds() != 1 {
		t.Fatal("a round that had begun counts for a later caller")
	}
	s.begin()
	if s.reached(at) {
		t.Fatal("reached before the end of the round")
	}
	s.end()
	if !s.reached(at) {
		t.Fatal("not reached after a whole round")
	}
}

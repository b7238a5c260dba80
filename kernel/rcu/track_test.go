package rcu

import (
	"testing"
)

func TestWaitingForOneselfIsFound(t *testing.T) {
	d := New(Config{CPUs: 2, Track: true})
	token := theReader(d, 1)
	wantPanic(t, "Synchronize in a read section, begun in pdac/kernel/rcu.theReader", d.Synchronize)
	d.Call(func() {})
	wantPanic(t, "Barrier in a read section", d.Barrier)
	d.ReadUnlock(token)
	d.Synchronize()
	d.Barrier()
}

// TestOthersSectionsAreNotOnesOwn: a tracked Domain's Synchronize waits for other goroutines.
func TestOthersSectionsAreNotOnesOwn(t *testing.T) {
	d := newStepped(Config{CPUs: 2, Track: true})
	token := d.Track(d.ReadLock(0), 0)
	done := d.start(t, d.Synchronize)
	d.ReadUnlock(token)
	d.finish(t, done)
}

// throughGate begins a section for its caller, as a gate does.
//
//go:noinline
func throughGate(d *Domain) Token { return d.Track(d.ReadLock(0), 1) }

func TestTrackNamesCallerAbove(t *testing.T) {
	d := New(Config{CPUs: 1, Track: true})
	token := throughGate(d)
	wantPanic(t, "begun in pdac/kernel/rcu.TestTrackNamesCallerAbove", d.Synchronize)
	d.ReadUnlock(token)
}

func TestTrackWithoutConfig(t *testing.T) {
	d := New(Config{CPUs: 1})
	token := d.ReadLock(0)
	if got := d.Track(token, 0); got != token {
		t.Errorf("Track made %#x of %#x", got, token)
	}
	d.ReadUnlock(token)
	d.Synchronize()
}

func TestTokenGivenBackTwice(t *testing.T) {
	d := New(Config{CPUs: 2, Track: true})
	token := d.Track(d.ReadLock(1), 0)
	d.ReadUnlock(token)
	wantPanic(t, "given back twice", func() { d.ReadUnlock(token) })
	d.Synchronize() // the count is what it was
}

// TestMoreReadersThanRecords: those without a record are readers like any other.
func TestMoreReadersThanRecords(t *testing.T) {
	d := New(Config{CPUs: 3, Track: true})
	var tokens []Token
	for i := range maxTracked + 10 {
		tokens = append(tokens, d.Track(d.ReadLock(i%3), 0))
	}
	untracked := 0
	for _, token := range tokens {
		if token>>32 == 0 {
			untracked++
		}
	}
	if got := d.Stats().Readers; untracked != 10 || got != uint64(len(tokens)) {
		t.Errorf("%d readers, %d untracked; want %d and 10", got, untracked, len(tokens))
	}
	for _, token := range tokens {
		d.ReadUnlock(token)
	}
	d.Synchronize()
}

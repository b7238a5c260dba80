package ipc

import (
	"context"
	"runtime"
	"sync/atomic"
)

// A fair semaphore: permits are handed to who waits longest, and to nobody else.
//
// Paper: N. Koval, D. Khalanskiy and D. Alistarh, "CQS: A Formally-Verified Framework for Fair and
// Abortable Synchronization", PLDI 2023, for the one count that says what has to be done; with
// waiters (waiters.go) in place of their queue, and so without their cells of those who gave up.
//
// Words and writers: balance, by adding and CAS, by anyone: permits when positive, else less the
// number of calls that wait for one. A call that has changed it and found it negative owes a
// permit: whoever releases, to some waiter.
//
// Invariant: the waits that nobody has served are never fewer than those that balance counts and
// those that are owed a permit together. Each step keeps it:
//
//	acquire   begins to wait, and then counts itself
//	release   counts one fewer and owes him a permit; serves one, and owes it no more
//	acquire   finds, in counting itself, that there is a permit, and withdraws. If it was served
//	          already, then in the place of another, who is counted, or owed: it serves him
//	cancel    counts itself out, and then withdraws. If it was served already: the same
//	hand      as release, but it has no permit (hand.go): it serves one by a message, or counts him
//	          in again. Who cancels and was served by a message counts that other one in
//
// So grant always finds somebody to serve, or somebody else has just served him; the wait that it
// serves need not be the one that was counted, since one waits as well as another, and the first of
// them is served. When balance isn't negative, for each who waits somebody owes a permit, or was
// served before he was counted and is about to count himself. Either is a few steps: who wants to
// give up looks again until he has a permit, and passes it on, or balance counts him.
//
// Linearization: try at its CAS of balance. acquire at the CAS or add by which it found a permit, or
// at the CAS of the word by which it was served. release at its add.
//
// Order: no try and no acquire gets a permit while others wait, since balance isn't positive, but in
// the few steps in which somebody counts in again whom he had counted out (recount); among those who
// wait, waiters' order.
//
// Reclamation: none needed. Progress: try and release are lock-free, acquire waits for a permit.
// No call pairs need be kept apart.
//
// Rejected: waking a waiter who then tries like everyone else (a stream of newcomers starves him);
// runtime semaphores (no giving up, no telling of the dead).
type semaphore struct {
	balance atomic.Int64
	_       [64 - 8]byte // keeps the count off the words of those who wait
	waiters waiters
}

// init makes n permits, and places for so many to wait.
func (s *semaphore) init(n, places int) {
	s.balance.Store(int64(n))
	s.waiters.init(places)
}

// try takes a permit, if there is one.
func (s *semaphore) try() bool {
	for b := s.balance.Load(); b > 0; b = s.balance.Load() {
		if s.balance.CompareAndSwap(b, b-1) {
			return true
		}
	}
	return false
}

// acquire takes a permit, and waits for one. Errors, and then it has none: ErrCrowded, ErrDead when
// it was closed, the guard's and ctx's.
func (s *semaphore) acquire(ctx context.Context, in *Admission) error {
	if s.try() {
		return nil
	}
	return s.await(ctx, in, nil)
}

// await is acquire that found no permit. Before it waits it unparks partner, if there is one.
func (s *semaphore) await(ctx context.Context, in *Admission, partner *parker) error {
	p := s.waiters.take()
	if p == nil {
		partner.unpark()
		return ErrCrowded
	}
	if p.watch.Wake == nil {
		p.open()
	}
	s.waiters.begin(p)
	err := s.wait(p, ctx, in, partner)
	p.end()
	return err
}

// wait waits for a permit at p, where a wait has begun.
func (s *semaphore) wait(p *place, ctx context.Context, in *Admission, partner *parker) error {
	if s.balance.Add(-1) >= 0 {
		s.found(p, partner)
		return nil
	}
	return s.woken(p, p.sleep(ctx, in, partner))
}

// found ends the wait at p, since there is a permit now. Its state handed: the caller was handed a
// message, and has no permit.
func (s *semaphore) found(p *place, partner *parker) {
	partner.unpark()
	if !p.withdraw() {
		p.settle()
		s.grant()
	}
}

// woken is wait after the sleep, which failed with err or didn't. Its state handed: the caller was
// handed a message, and has no permit.
func (s *semaphore) woken(p *place, err error) error {
	switch {
	case err != nil:
		s.cancel(p)
	case p.state() == dead:
		err = ErrDead
	}
	return err
}

// cancel gives up the wait at p, and the permit if it has come.
func (s *semaphore) cancel(p *place) {
	for {
		p.settle()
		b := s.balance.Load()
		switch {
		case p.ended():
			if p.state() == granted {
				s.release()
			}
			return
		case b >= 0:
			runtime.Gosched()
		case s.balance.CompareAndSwap(b, b+1):
			if p.withdraw() {
				return
			}
			if p.settle(); p.state() == handed {
				s.recount()
			} else {
				s.grant()
			}
			return
		}
	}
}

// release gives a permit back: to who waits longest, if somebody does.
func (s *semaphore) release() { s.pass().unpark() }

// pass is release that leaves it to the caller to unpark who got the permit.
func (s *semaphore) pass() *parker {
	if s.balance.Add(1) <= 0 {
		return s.serve()
	}
	return nil
}

// grant serves a waiter who is owed a permit.
func (s *semaphore) grant() { s.serve().unpark() }

// serve is grant that leaves it to the caller to unpark him.
func (s *semaphore) serve() *parker {
	for !s.waiters.closed.Load() {
		if p := s.waiters.first(); p != nil {
			return p
		}
	}
	return nil
}

// recount counts a waiter in whom the caller had counted out, and serves him if there is a permit.
func (s *semaphore) recount() {
	if s.balance.Add(-1) >= 0 {
		s.grant()
	}
}

// close ends all waits, now and in future. The permits are without meaning from then on.
func (s *semaphore) close() { s.waiters.close() }

// permits and waiting tell the balance.
func (s *semaphore) permits() int { return int(max(s.balance.Load(), 0)) }
func (s *semaphore) waiting() int { return int(max(-s.balance.Load(), 0)) }

package ipc

import (
	"context"
	"math/bits"
	"sync/atomic"
)

// The places where calls wait: for a permit (semaphore.go) or a message (hand.go), or for a reply
// (call.go).
//
// Paper: L. Lamport, "A New Solution of Dijkstra's Concurrent Programming Problem", CACM 17(8),
// 1974: who comes draws a number, and the lowest is served; here by somebody else.
//
// Words and writers:
//
//	used        a bit for each place of a row: set by CAS by who takes it, and cleared by him, its owner
//	tickets     everyone who begins to wait adds 1
//	word        ticket<<3 | state, see the states for who changes what
//	closed      close, once
//	watch       the owner; Wake and Sleep the first one, and then they are constant
//
// Invariant: no ticket is drawn twice, so a word names one wait, and a CAS from it succeeds in that
// one only.
//
// Order: first considers the tickets that were drawn before it began. Whoever had begun to wait
// before another drew his ticket is seen by the scan that sees the other, and has the lower one.
//
// Linearization: the CAS of a word. Nobody waits where it is closed: begin stores the word, then
// loads closed; close stores closed, then loads the words (Dekker).
//
// Waking is a token (park.go), of which there is one at most. It can come late, when the place has
// another owner: so he who wakes up looks at his word, and may sleep again.
//
// Reclamation: none needed. Places are type-stable and live as long as their endpoint.
//
// Progress: all but sleep is lock-free: take repeats if another took the bit.
//
// Why a scan and not a list: who gives up must leave nothing behind. In a queue of Michael and
// Scott's their names would pile up behind one who waits for ever, and taking them out of the middle
// of a list (Harris, DISC 2001) costs more than the scan does: a load for each 64 places, and one
// for each waiter. Where a thousand wait, that is about the price of waking one.

// waiters are the places of one endpoint where calls wait for the same thing.
type waiters struct {
	tickets atomic.Uint64
	closed  atomic.Bool
	rows    []row
}

// row is 64 places, and which of them are taken.
type row struct {
	used   atomic.Uint64
	places [64]place
}

// place is where one call waits.
type place struct {
	word atomic.Uint64
	parker
	watch   Watch    // Wake is unpark, and Sleep doze: made once, so that no wait allocates
	partner *parker  // whom doze unparks
	letter  *Message // of those who wait for a message: where they are handed one
	call    *caller  // of those who wait for a reply

	// Constant.
	row *row
	bit uint64 // in row.used
	at  uint64 // its number among all
}

// States of a wait. idle -> waiting -> granted -> idle is the usual way.
const (
	idle    = iota // nobody waits. To waiting: the owner of the place
	waiting        // To granted or serving: who serves, by CAS. To idle: the owner, by CAS. To dead: close, by CAS. To again: who refuses
	serving        // being handed a message, or answered. To handed; to granted, or back to waiting: who serves
	granted        // it has the permit or the reply that it waited for. To idle: the owner
	dead           // the endpoint is. To idle: the owner
	handed         // it has the message that it waited for. To idle: the owner
	again          // nobody received its message. To waiting: the owner

	stateBits = 3
	stateMask = 1<<stateBits - 1
)

// init makes at least n places.
func (q *waiters) init(n int) {
	q.rows = make([]row, (n+63)/64)
	for i := range q.rows {
		r := &q.rows[i]
		for j := range r.places {
			p := &r.places[j]
			p.row, p.bit, p.at = r, 1<<j, uint64(i*64+j)
		}
	}
}

// take takes a place. Nil: there is none.
func (q *waiters) take() *place {
	for i := range q.rows {
		r := &q.rows[i]
		for u := r.used.Load(); u != ^uint64(0); u = r.used.Load() {
			if r.used.CompareAndSwap(u, u|(u+1)) { // the lowest bit that is clear
				return &r.places[bits.TrailingZeros64(^u)%64]
			}
		}
	}
	return nil
}

// place returns a place by its number; nil: there is no such.
func (q *waiters) place(at uint64) *place {
	if at/64 >= uint64(len(q.rows)) {
		return nil
	}
	return &q.rows[at/64].places[at%64]
}

// open makes what a place's owners need, once.
func (p *place) open() {
	p.parker.open()
	p.watch.Wake, p.watch.Sleep = p.unpark, p.doze
}

// begin begins a wait at a place of the caller's, which is open. It returns the word that names it.
func (q *waiters) begin(p *place) uint64 {
	p.clear() // of what was meant for an earlier owner
	w := q.tickets.Add(1)<<stateBits | waiting
	p.word.Store(w)
	if q.closed.Load() { // pairs with the store in close
		p.word.CompareAndSwap(w, w-waiting+dead)
	}
	return w
}

// end gives a place back, at which nobody waits any more.
func (p *place) end() {
	p.word.Store(idle)
	p.row.used.And(^p.bit)
}

// first serves the one who waits longest, whom the caller must unpark. Nil: nobody does who had begun
// to before the call, or others served them.
func (q *waiters) first() *parker {
	for {
		p, w := q.longest()
		if p == nil {
			return nil
		}
		if p.word.CompareAndSwap(w, w-waiting+granted) {
			return &p.parker
		}
	}
}

// longest returns who waits longest, and his word. Nil: nobody does who had begun to before the call.
func (q *waiters) longest() (best *place, word uint64) {
	word = q.tickets.Load()<<stateBits | stateMask
	for i := range q.rows {
		r := &q.rows[i]
		for u := r.used.Load(); u != 0; u &= u - 1 {
			p := &r.places[bits.TrailingZeros64(u)%64]
			if w := p.word.Load(); w&stateMask == waiting && w < word {
				best, word = p, w
			}
		}
	}
	return best, word
}

// close ends all waits, now and in future.
func (q *waiters) close() {
	q.closed.Store(true)
	for i := range q.rows {
		r := &q.rows[i]
		for u := r.used.Load(); u != 0; u &= u - 1 {
			r.places[bits.TrailingZeros64(u)%64].die()
		}
	}
}

// die ends the wait at p, if there is one that nobody is serving.
func (p *place) die() {
	if w := p.word.Load(); w&stateMask == waiting && p.word.CompareAndSwap(w, w-waiting+dead) {
		p.unpark()
	}
}

// state returns the state of the wait.
func (p *place) state() uint64 { return p.word.Load() & stateMask }

// ended reports whether there is nothing more to wait for.
func (p *place) ended() bool { return p.state() >= granted }

// withdraw ends the wait from the side of its owner. False: he has been served, or is being, or dead.
func (p *place) withdraw() bool {
	w := p.word.Load()
	return w&stateMask == waiting && p.word.CompareAndSwap(w, idle)
}

// settle waits until the wait is not being served any more.
func (p *place) settle() {
	for p.state() == serving {
		p.park(nil)
	}
}

// sleep unparks partner, if there is one, and waits until the wait has ended. Errors: the guard's;
// ctx's, if it hadn't ended.
func (p *place) sleep(ctx context.Context, in *Admission, partner *parker) (err error) {
	p.partner = partner
	if ctx != nil || in == nil {
		err = p.sleepUntil(ctx, in)
	} else { // the usual way
		for !p.ended() {
			if in.Held, err = in.Guard.Wait(in.ID, in.Need, in.Held, &p.watch); err != nil {
				break
			}
		}
	}
	if p.partner != nil { // it never came to doze
		p.partner.unpark()
	}
	return err
}

func (p *place) sleepUntil(ctx context.Context, in *Admission) (err error) {
	if ctx != nil {
		defer context.AfterFunc(ctx, p.watch.Wake)()
	}
	for err == nil && !p.ended() {
		if in == nil {
			p.doze()
		} else {
			in.Held, err = in.Guard.Wait(in.ID, in.Need, in.Held, &p.watch)
		}
		if ctx != nil && err == nil && !p.ended() {
			err = ctx.Err()
		}
	}
	return err
}

// doze unparks the partner and waits to be woken.
func (p *place) doze() {
	partner := p.partner
	p.partner = nil
	p.park(partner)
}

// waiting returns how many places are taken.
func (q *waiters) waiting() (n int) {
	for i := range q.rows {
		n += bits.OnesCount64(q.rows[i].used.Load())
	}
	return n
}

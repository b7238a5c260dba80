package ipc

import (
	"context"
	"math/bits"
	"sync/atomic"
)

// The places where calls wait: for a permit (semaphore.go), or for a reply (call.go).
//
// Paper: L. Lamport, "A New Solution of Dijkstra's Concurrent Programming Problem", CACM 17(8),
// 1974: who comes draws a number, and the lowest is served; here by somebody else.
//
// Words and writers:
//
//	used[i]     a bit for each place: set by CAS by who takes it, and cleared by him, its owner
//	tickets     everyone who begins to wait adds 1
//	word        ticket<<3 | state, see the states for who changes what
//	closed      close, once
//	kick        by the place's first owner; then constant
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
	used    []atomic.Uint64
	places  []place
}

// place is where one call waits.
type place struct {
	word atomic.Uint64
	parker
	kick func()  // unpark, for others: made once, so that no wait allocates
	call *caller // of those who wait for a reply
}

// States of a wait. idle -> waiting -> granted -> idle is the usual way.
const (
	idle    = iota // nobody waits. To waiting: the owner of the place
	waiting        // To granted or serving: who serves, by CAS. To idle: the owner, by CAS. To dead: close, by CAS
	serving        // being answered. To granted, or back to waiting: who serves
	granted        // it has what it waited for. To idle: the owner
	dead           // the endpoint is. To idle: the owner

	stateBits = 3
	stateMask = 1<<stateBits - 1
)

// Guard is what the gate does around a wait. Without one (nil) nothing is done.
type Guard interface {
	// Leave is called when the call is about to sleep. It has wake called when the capability that
	// admitted the call is revoked, then checks that capability once more, and leaves the call's
	// read section. After an error the call doesn't sleep, returns it, and doesn't call Enter.
	// wake doesn't block, and may be called late and more than once.
	Leave(wake func()) error

	// Enter is called when it has slept. It enters a read section and checks anew. The call returns
	// its error, and has then done nothing.
	Enter() error
}

// init makes at least n places.
func (q *waiters) init(n int) {
	words := (n + 63) / 64
	q.used = make([]atomic.Uint64, words)
	q.places = make([]place, words*64)
}

// take takes a place. False: there is none.
func (q *waiters) take() (at int, ok bool) {
	for i := range q.used {
		for u := q.used[i].Load(); u != ^uint64(0); u = q.used[i].Load() {
			bit := bits.TrailingZeros64(^u)
			if !q.used[i].CompareAndSwap(u, u|1<<bit) {
				continue
			}
			at = i*64 + bit
			if p := &q.places[at]; p.kick == nil {
				p.open()
				p.kick = p.unpark
			}
			return at, true
		}
	}
	return 0, false
}

// begin begins a wait at a place of the caller's. It returns the word that names it.
func (q *waiters) begin(at int) uint64 {
	p := &q.places[at]
	p.clear() // of what was meant for an earlier owner
	w := q.tickets.Add(1)<<stateBits | waiting
	p.word.Store(w)
	if q.closed.Load() { // pairs with the store in close
		p.word.CompareAndSwap(w, w-waiting+dead)
	}
	return w
}

// end gives a place back, at which nobody waits any more.
func (q *waiters) end(at int) {
	q.places[at].word.Store(idle)
	q.used[at/64].And(^(uint64(1) << (at % 64)))
}

// first serves the one who waits longest, whom the caller must unpark. Nil: nobody does who had begun
// to before the call, or others served them.
func (q *waiters) first() *parker {
	limit := q.tickets.Load()<<stateBits | stateMask
	for {
		var best *place
		word := limit
		for i := range q.used {
			for u := q.used[i].Load(); u != 0; u &= u - 1 {
				p := &q.places[i*64+bits.TrailingZeros64(u)]
				if w := p.word.Load(); w&stateMask == waiting && w < word {
					best, word = p, w
				}
			}
		}
		if best == nil {
			return nil
		}
		if best.word.CompareAndSwap(word, word-waiting+granted) {
			return &best.parker
		}
	}
}

// close ends all waits, now and in future.
func (q *waiters) close() {
	q.closed.Store(true)
	for i := range q.used {
		for u := q.used[i].Load(); u != 0; u &= u - 1 {
			q.places[i*64+bits.TrailingZeros64(u)].die()
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

// sleep unparks partner, if there is one, and waits until the wait has ended. Errors: the guard's;
// ctx's, if it hadn't ended.
func (p *place) sleep(ctx context.Context, g Guard, partner *parker) error {
	if ctx == nil || ctx.Done() == nil {
		return p.await(nil, g, partner)
	}
	return p.awaitUntil(ctx, g, partner)
}

func (p *place) awaitUntil(ctx context.Context, g Guard, partner *parker) error {
	defer context.AfterFunc(ctx, p.kick)()
	return p.await(ctx, g, partner)
}

// await is sleep with p kicked when ctx, if there is one, is done.
func (p *place) await(ctx context.Context, g Guard, partner *parker) error {
	for !p.ended() {
		if g != nil {
			if err := g.Leave(p.kick); err != nil {
				partner.unpark()
				return err
			}
		}
		p.park(partner)
		partner = nil
		if g != nil {
			if err := g.Enter(); err != nil {
				return err
			}
		}
		if ctx != nil && ctx.Err() != nil && !p.ended() {
			return ctx.Err()
		}
	}
	partner.unpark()
	return nil
}

// waiting returns how many places are taken.
func (q *waiters) waiting() (n int) {
	for i := range q.used {
		n += bits.OnesCount64(q.used[i].Load())
	}
	return n
}

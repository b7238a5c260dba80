package cap

import (
	"sync/atomic"
	"unsafe"
)

// Waiting: gated calls that are blocked, and are to be woken when their capability changes.
//
//	Await                        Revoke, Narrow, Transfer
//	  be live on the list          change the word
//	  load the word                load the count; wake who is live on the list
//
// Both are sequentially consistent, so either Await (and the Check that its caller makes
// afterwards) sees the word changed, or the waiter is woken. A waiter may be woken more than once,
// and once more while Done is under way.
//
// Waiters are on lists by a hash of the slot, pushed to in front by CAS. One that is done stays
// there, to be live again when the same call comes back: who waits, waits again as a rule, and then
// Await and Done are a CAS each, and allocate nothing.
//
//	live -> done      Done                       done -> live     Again; Await of the same slot and function
//	live -> woken     wake                       done -> ended     wake, sweeps
//	woken -> ended    Done                       live -> ended     Await that fails
//
// All by CAS but those from live and woken to ended, which are their owner's. ended is terminal: a
// tomb, cut out when the tombs outnumber an eighth of the rest, as in tree.go; and when that many
// and some more were pushed, whatever is done ends and goes too. Its memory is the collector's, so
// no tomb needs to be freed in time, and cutting needs no mark: the CAS of a link skips only tombs,
// so no waiter is lost, and where two sweeps undo each other a tomb comes back, to be cut next time.
//
// Words and writers: a list's head and links by CAS, Await and sweeps; state as above; cold.waiters by
// adding: before a push, and after an end. It counts what isn't ended, and belongs to the slot, not
// to the tenant: a waiter of an earlier tenant costs a look at the list.
//
// Progress: Await is lock-free, Done and waking are wait-free, in the number of waiters.

const (
	lists = 256 // of waiters
	near  = 8   // how far from the head Await looks for one that is done
	spare = 16  // pushes in addition before what is done is swept
)

// waits are the waiters of a table.
type waits [lists]waitList

type waitList struct {
	head          atomic.Pointer[waiting]
	tombs, pushes atomic.Int32 // since the last sweep
	sweepAt       atomic.Int32
}

// States of a waiter.
const (
	live = iota
	woken
	done
	ended
)

type waiting struct {
	slot  uint32 // constant
	state atomic.Uint32
	wake  func()                  // constant
	next  atomic.Pointer[waiting] // older
}

// Waiter is a blocked call, between Await and Done.
type Waiter struct{ w *waiting }

// Await registers a call that was admitted by id and is going to block: wake is called when id is
// revoked, transferred or narrowed, and so that a call can't miss it, the caller checks id once
// more between Await and blocking. wake must not block and not call the table; it can come at once,
// more than once, and late. Await allocates unless it had the same function value for id lately.
//
// Errors: ErrNoCapability, ErrRevoked; then there is no Waiter.
func (t *Table) Await(id ID, wake func()) (Waiter, error) {
	slot := id.Slot()
	if slot >= t.limit.Load() {
		return Waiter{}, ErrNoCapability
	}
	w := t.waits[slot%lists].again(slot, wake)
	if w == nil {
		w = t.enlist(slot, wake)
	}
	if t.Holds(id, 0) {
		return Waiter{w}, nil
	}
	if _, v := t.judge(id, 0); v != OK {
		t.drop(w)
		return Waiter{}, v
	}
	return Waiter{w}, nil
}

// Again is Await by a Waiter that is done: for the same function, while no more than that has become of
// it. False: it takes an Await. The zero Waiter never was one. The caller checks id afterwards.
func (w Waiter) Again(id ID) bool {
	return w.w != nil && w.w.slot == id.Slot() && w.w.state.CompareAndSwap(done, live)
}

// again makes a waiter live that is done; nil: there is none near.
func (l *waitList) again(slot uint32, wake func()) *waiting {
	w := l.head.Load()
	for range near {
		if w == nil {
			break
		}
		if w.slot == slot && w.state.Load() == done && same(w.wake, wake) && w.state.CompareAndSwap(done, live) {
			return w
		}
		w = w.next.Load()
	}
	return nil
}

// same says whether two function values are one: the same code, with the same variables.
func same(a, b func()) bool {
	return *(*unsafe.Pointer)(unsafe.Pointer(&a)) == *(*unsafe.Pointer)(unsafe.Pointer(&b))
}

// enlist puts a new waiter on its list.
func (t *Table) enlist(slot uint32, wake func()) *waiting {
	w := &waiting{slot: slot, wake: wake}
	t.cold[slot].waiters.Add(1) // pairs with the load in wake
	l := &t.waits[slot%lists]
	for {
		older := l.head.Load()
		w.next.Store(older)
		if l.head.CompareAndSwap(older, w) {
			break
		}
	}
	if n := l.pushes.Add(1); n > l.sweepAt.Load()+spare && l.pushes.CompareAndSwap(n, 0) {
		t.sweepWaiters(l, true)
	}
	return w
}

// Done ends what Await began, once. wake may be called once more at the same time.
func (t *Table) Done(waiter Waiter) {
	if !waiter.w.state.CompareAndSwap(live, done) {
		t.drop(waiter.w)
	}
}

// drop ends a waiter of the caller's.
func (t *Table) drop(w *waiting) {
	w.state.Store(ended)
	t.cold[w.slot].waiters.Add(-1)
	t.dropped(&t.waits[w.slot%lists], 1)
}

// dropped counts tombs, and sweeps when it is time.
func (t *Table) dropped(l *waitList, n int32) {
	if n := l.tombs.Add(n); n > l.sweepAt.Load() && l.tombs.CompareAndSwap(n, 0) {
		t.sweepWaiters(l, false)
	}
}

// sweepWaiters cuts the tombs out of a list, and with all what is done too.
func (t *Table) sweepWaiters(l *waitList, all bool) {
	kept, left := int32(0), int32(0)
	before := &l.head
	for at := before.Load(); at != nil; {
		if !t.gone(at, all) {
			kept++
			before = &at.next
			at = before.Load()
			continue
		}
		run, n := at, int32(0)
		for at != nil && t.gone(at, all) {
			n++
			at = at.next.Load()
		}
		if !before.CompareAndSwap(run, at) {
			left += n
		}
	}
	l.sweepAt.Store(kept / sweepShare)
	l.tombs.Add(left)
}

// gone reports whether a waiter is a tomb, and with all makes one of it that is done.
func (t *Table) gone(w *waiting, all bool) bool {
	if all && w.state.CompareAndSwap(done, ended) {
		t.cold[w.slot].waiters.Add(-1)
	}
	return w.state.Load() == ended
}

// wake wakes who waits under a slot, after its word has changed. Who becomes live behind its back
// does so after that, and sees it.
func (t *Table) wake(slot uint32) {
	if t.cold[slot].waiters.Load() == 0 { // pairs with the add in enlist
		return
	}
	l := &t.waits[slot%lists]
	tombs := int32(0)
	for w := l.head.Load(); w != nil; w = w.next.Load() {
		if w.slot != slot {
			continue
		}
		switch {
		case w.state.CompareAndSwap(live, woken), w.state.Load() == woken:
			w.wake()
		case w.state.CompareAndSwap(done, ended):
			tombs++
		}
	}
	if tombs > 0 {
		t.cold[slot].waiters.Add(-tombs)
		t.dropped(l, tombs)
	}
}

package cap

import "sync/atomic"

// Waiting: gated calls that are blocked, and are to be woken when their capability changes.
//
//	Await                        Revoke, Narrow, Transfer
//	  count, put on the list       change the word
//	  load the word                load the count; wake who is on the list
//
// Both are sequentially consistent, so either Await (and the Check that its caller makes
// afterwards) sees the word changed, or the waiter is woken. A waiter may be woken more than once,
// and once more while Done is under way.
//
// Waiters are on lists by a hash of the slot. A list is pushed to in front by CAS. A waiter that is
// done is a tomb on the list, skipped by who wakes and cut out when the tombs outnumber an eighth
// of the rest, as in tree.go. Its memory is the collector's, so no tomb needs to be freed in time,
// and cutting needs no mark: the CAS of a link skips only tombs, so no waiter is lost, and where
// two cuts undo each other a tomb comes back, to be cut next time.
//
// Words and writers: a list's head and links by CAS, Await and sweeps; wake is set before the push
// and cleared by Done; cold.waiters by adding, Await and Done. It belongs to the slot, not to the
// tenant: a waiter of an earlier tenant that isn't done yet costs a look at the list.
//
// Progress: Await is lock-free, Done and waking are wait-free, in the number of waiters.

// lists is the number of lists of waiters.
const lists = 256

// waits are the waiters of a table.
type waits [lists]struct {
	head    atomic.Pointer[waiting]
	tombs   atomic.Int32
	sweepAt atomic.Int32
}

type waiting struct {
	slot uint32                  // constant
	f    func()                  // constant
	wake atomic.Pointer[func()]  // to f; nil: done
	next atomic.Pointer[waiting] // older
}

// Waiter is a blocked call, between Await and Done.
type Waiter struct{ w *waiting }

// Await registers a call that was admitted by id and is going to block: wake is called when id is
// revoked, transferred or narrowed, and so that a call can't miss it, the caller checks id once
// more between Await and blocking. wake must not block and not call the table; it can come at once,
// more than once, and late.
//
// Errors: ErrNoCapability, ErrRevoked; then there is no Waiter.
func (t *Table) Await(id ID, wake func()) (Waiter, error) {
	slot := id.Slot()
	if slot >= t.limit.Load() {
		return Waiter{}, ErrNoCapability
	}
	w := &waiting{slot: slot, f: wake}
	w.wake.Store(&w.f)
	t.cold[slot].waiters.Add(1) // pairs with the load in wake
	for head := &t.waits[slot%lists].head; ; {
		older := head.Load()
		w.next.Store(older)
		if head.CompareAndSwap(older, w) {
			break
		}
	}
	if _, v := t.judge(id, 0); v != OK {
		t.Done(Waiter{w})
		return Waiter{}, v
	}
	return Waiter{w}, nil
}

// Done ends what Await began, once. wake may be called once more at the same time.
func (t *Table) Done(waiter Waiter) {
	w := waiter.w
	w.wake.Store(nil)
	t.cold[w.slot].waiters.Add(-1)
	l := &t.waits[w.slot%lists]
	if n := l.tombs.Add(1); n <= l.sweepAt.Load() || !l.tombs.CompareAndSwap(n, 0) {
		return
	}
	live, left := int32(0), int32(0)
	before := &l.head
	for at := before.Load(); at != nil; {
		if at.wake.Load() != nil {
			live++
			before = &at.next
			at = before.Load()
			continue
		}
		run, n := at, int32(0)
		for at != nil && at.wake.Load() == nil {
			n++
			at = at.next.Load()
		}
		if !before.CompareAndSwap(run, at) {
			left += n
		}
	}
	l.sweepAt.Store(live / sweepShare)
	l.tombs.Add(left)
}

// wake wakes who waits under a slot, after its word has changed.
func (t *Table) wake(slot uint32) {
	if t.cold[slot].waiters.Load() == 0 { // pairs with the add in Await
		return
	}
	for w := t.waits[slot%lists].head.Load(); w != nil; w = w.next.Load() {
		if w.slot != slot {
			continue
		}
		if wake := w.wake.Load(); wake != nil {
			(*wake)()
		}
	}
}

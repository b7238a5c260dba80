package dag

import (
	"math/bits"
	"sync/atomic"
)

// Who is idle on a node, and how it is woken.
//
// Words and writers: searching, how many workers look for work or have been woken to, by those who begin and end, and
// who wakes; parked, a bit for each worker, set by itself, cleared by CAS by who wakes it, or by itself: whoever clears
// the bit has it woken. A token follows each clearing by another.
//
// Giving work: put it where workers find it, by a sequentially consistent store; if nobody searches, wake one. Parking:
// set the bit; stop counting as searching; look once more. So no work is left with all who may do it parked:
//
//   - who gave it found nobody searching, and a bit: it woke one, which counts as searching from then on;
//   - it found nobody searching and no bit: who parks sets its bit later, and sees the work at its last look;
//   - it found one searching. That one finds this work; or finds nothing and stops counting, later than the giver's
//     look, so that its last look sees the work; or finds other work. The last one who found work and stops counting looks whether
//     there is more, and wakes another then.
//
// Work for any worker is given when no node has one searching; work bound to a node when that node has none. The number of all
// bits, raised before one is set and lowered after it was cleared, spares the giver most looks while nobody is asleep.
type idle struct {
	searching atomic.Int32
	parked    []atomic.Uint64
}

// wake sees to it that work for anybody, which appeared on a node, is found. It is inlined.
func (e *Executor) wake(from int) {
	if e.asleep.Load() > 0 {
		e.wakeAny(from)
	}
}

func (e *Executor) wakeAny(from int) {
	for i := range e.nodes {
		if e.nodes[i].idle.searching.Load() > 0 {
			return
		}
	}
	for _, n := range e.nodes[from].nearest {
		if e.rouse(n) {
			return
		}
	}
}

// wakeOn sees to it that work bound to a node is found.
func (e *Executor) wakeOn(n int) {
	if e.nodes[n].idle.searching.Load() == 0 {
		e.rouse(n)
	}
}

// wakeAll wakes all who are parked, since the executor may be closed.
func (e *Executor) wakeAll() {
	for n := range e.nodes {
		for e.rouse(n) {
		}
	}
}

// rouse wakes one worker of a node. False: none is parked.
func (e *Executor) rouse(at int) bool {
	n := &e.nodes[at]
	for i := range n.idle.parked {
		word := &n.idle.parked[i]
		for set := word.Load(); set != 0; set = word.Load() {
			if word.CompareAndSwap(set, set&(set-1)) {
				e.asleep.Add(-1)
				n.idle.searching.Add(1) // for the woken one
				n.workers[64*i+bits.TrailingZeros64(set)].token <- struct{}{}
				return true
			}
		}
	}
	return false
}

// park waits until there may be work. The caller counts as searching, before and after.
func (w *worker) park() {
	n := &w.e.nodes[w.node].idle
	word, bit := &n.parked[w.place/64], uint64(1)<<(w.place%64)
	w.e.asleep.Add(1)
	word.Or(bit)
	n.searching.Add(-1)
	if w.over() || w.sees() {
		if word.And(^bit)&bit != 0 {
			w.e.asleep.Add(-1)
			n.searching.Add(1)
			return
		} // else a token is on its way
	}
	w.state.Store(int32(Parked))
	<-w.token
	w.state.Store(int32(Searching))
}

// sees reports whether there is anything to find outside of the worker's own deques.
func (w *worker) sees() bool {
	n := &w.e.nodes[w.node]
	if n.inbox.head.Load() != 0 || !w.e.starts.Empty(w.e.startNodes) {
		return true
	}
	for _, v := range w.victims {
		if v.worker.open.Offered() > 0 || v.near && v.worker.bound.Offered() > 0 {
			return true
		}
	}
	return false
}

// found is called by who searched and has work in hand: the last one wakes another if there is more, elsewhere or in its own
// deques, where it came while its owner was searching.
func (w *worker) found() {
	e := w.e
	if e.nodes[w.node].idle.searching.Add(-1) > 0 {
		return
	}
	if w.open.Offered() > 0 || w.bound.Offered() > 0 || w.sees() {
		if !e.rouse(w.node) {
			e.wake(w.node)
		}
	}
}

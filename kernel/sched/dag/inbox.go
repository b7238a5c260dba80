package dag

import "sync/atomic"

// inbox holds the names of steps that wait for a worker of a node, from workers of others: a stack that is pushed to by
// one and taken whole (R. K. Treiber, IBM RJ 5118, 1986). The links are in the runs, so it never fills up.
//
// Words and writers: head, the top's name plus 1, 0 when empty, by CAS by who pushes and by exchange by who takes;
// run.link[step], what is below, plus 1, by who pushes the step, before the CAS.
//
// ABA: a push that finds the same head again links to what is again the top, and nobody takes one alone.
//
// Linearization: at the CAS and the exchange. Reclamation: a run's links stay until its last step has ended, and
// those in an inbox have not. Progress: push is lock-free, taking wait-free.
type inbox struct {
	head atomic.Uint64
}

// send puts a step into the inbox of its node.
func (e *Executor) send(to int, slot, at uint32) {
	in, link, name := &e.nodes[to].inbox, &e.runs[slot].link[at], makeName(slot, at)
	for {
		below := in.head.Load()
		*link = below
		if in.head.CompareAndSwap(below, name+1) { // pairs with the exchange in receive
			break
		}
	}
	e.wakeOn(to)
}

// receive moves what is in the inbox of the worker's node into its bound deque.
func (w *worker) receive() {
	in := &w.e.nodes[w.node].inbox
	if in.head.Load() == 0 {
		return
	}
	for next := in.head.Swap(0); next != 0; {
		name := next - 1
		next = w.e.runs[slotOf(name)].link[stepOf(name)] // before others can have it
		if w.bound.Push(name) {
			w.e.wakeOn(w.node)
		}
	}
}

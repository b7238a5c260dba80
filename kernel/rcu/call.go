package rcu

import "pdac/asm"

// Callbacks: what to do after a grace period, without waiting for it.
//
// Each CPU has a list of its own, a stack to which callers push and from which the worker takes
// everything at once (Treiber 1986 without Pop, so without its ABA: a push only compares the top
// with what it links to, and the collector keeps that from being reused meanwhile).
//
// Invariant: pending counts the callbacks from before their push until after they ran, and a worker
// lives, or is about to be started, exactly while it is not zero. Who moves it from zero starts one;
// the worker that moves it back to zero ends. So there is never a second, and none when idle.
//
// A batch is what the lists hold at one time, then one grace period for all of it, then the
// functions, in no order.
//
// Linearization: Call at the CAS that pushes; it happens before the batch that takes it, which
// happens before the grace period. Barrier: every Call that returned before it is on a list or in a
// batch. The next batch to begin takes it from the list; so a whole batch after the call, or no
// callback pending, means that it ran.
//
// Progress: Call is lock-free. A caller preempted between counting and pushing, or before starting
// the worker, delays callbacks and no Call. Barrier blocks.

// callback is a link of a list.
type callback struct {
	f    func()
	next *callback // constant once pushed
}

// Call has f run after every section that is under way has ended, by a goroutine that runs all of a
// Domain's callbacks one after another, in no order: f should be short, and may use Call, sections and
// Synchronize, but not Barrier. Call may be used in a section.
func (d *Domain) Call(f func()) {
	first := d.pending.Add(1) == 1
	c := &callback{f: f}
	for top := &d.cells[d.cpu()].calls; ; {
		c.next = top.Load()
		if top.CompareAndSwap(c.next, c) {
			break
		}
	}
	if first {
		d.spawn(d.work)
	}
}

// Barrier returns after every callback has run whose Call returned before.
//
// It panics in a callback, which would wait for itself; for sections it is as Synchronize.
func (d *Domain) Barrier() {
	if d.worker.Load() == asm.Goroutine() {
		panic("rcu: Barrier in a callback")
	}
	d.outside("Barrier")
	p := d.pace
	for at := d.batches.after(); d.pending.Load() != 0 && !d.batches.reached(at); {
		p.wait()
	}
}

// work runs callbacks until there are none.
func (d *Domain) work() {
	p := d.pace
	var batch []func()
	for {
		d.batches.begin() // nobody else does
		batch = d.take(batch[:0])
		if len(batch) > 0 {
			d.Synchronize()
			d.worker.Store(asm.Goroutine())
			for i, f := range batch {
				f()
				batch[i] = nil // what f refers to may be large
			}
			d.worker.Store(0)
			d.ran.Add(uint64(len(batch)))
			p.turn = 0
		}
		d.batches.end()
		if d.pending.Add(-int64(len(batch))) == 0 {
			return
		}
		if len(batch) == 0 {
			p.wait() // for a caller between counting and pushing
		}
	}
}

// take empties the lists into batch.
func (d *Domain) take(batch []func()) []func() {
	for i := range d.cells {
		for c := d.cells[i].calls.Swap(nil); c != nil; c = c.next {
			batch = append(batch, c.f)
		}
	}
	return batch
}

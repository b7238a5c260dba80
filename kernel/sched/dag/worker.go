package dag

import (
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"pdac/asm"
	"pdac/kernel/lockfree"
)

// worker calls functions, one at a time. Its goroutine alone uses what is not atomic.
type worker struct {
	e           *Executor
	number      int
	node, place int  // its NUMA node, and which of the workers there it is
	binds       bool // there are several nodes, so that a step bound to one is not for everybody

	open  lockfree.Deque // steps for anybody
	bound lockfree.Deque // steps for workers of this node
	token chan struct{}  // wakes it (idle.go)

	run     *run   // the step in hand
	slot    uint32 // of the run
	at      uint32
	calling bool // it, or its context, is being called
	called  bool // it was called, but didn't return

	long    bool // it has done its own steps for long
	looks   uint // at others, after that
	victims []victim
	steals  [strategies][]steals
	loot    [most]uint64
	last    int // victim of Circular
	seed    rand.PCG

	_ [lockfree.CacheLine]byte // keeps off the above what others read

	goroutine                    atomic.Uint64 // which one it is, 0: none
	state                        atomic.Int32  // a WorkerState
	functions, passed, parks     lockfree.Tally
	succeeded, failed, cancelled lockfree.Tally // runs whose last step it did
	_                            [lockfree.CacheLine]byte
}

// A step's name is {slot of its run, its index}, in one word.
func makeName(slot, at uint32) uint64 { return uint64(slot)<<32 | uint64(at) }
func slotOf(name uint64) uint32       { return uint32(name >> 32) }
func stepOf(name uint64) uint32       { return uint32(name) }

func newWorker(e *Executor, number, node, place int) *worker {
	return &worker{e: e, number: number, node: node, place: place, token: make(chan struct{}, 1), seed: newSeed(number)}
}

// main is the worker's goroutine. Pinned, when not nil, gets what Pin says.
func (w *worker) main(pinned chan<- error) {
	defer w.e.alive.Done()
	var err error
	if w.e.config.Pin != nil {
		runtime.LockOSThread() // for good: a pinned thread serves nobody else, and ends with the goroutine
		err = w.e.config.Pin(w.number)
	}
	w.goroutine.Store(uint64(asm.Goroutine()))
	if pinned != nil {
		pinned <- err
	}
	defer w.handOver()
	for !w.work() {
	}
	w.state.Store(int32(Ended))
}

// handOver ends a goroutine of the worker. When a function ended it, by runtime.Goexit, which even a recovered panic does not undo,
// another goroutine takes over.
func (w *worker) handOver() {
	w.goroutine.Store(0)
	if w.called {
		w.e.alive.Add(1)
		go w.main(nil)
	}
}

// work does steps until the executor is closed. False: a function panicked, and there is more to do. It costs a function nothing
// that it may panic: the one deferred call is here.
func (w *worker) work() (over bool) {
	defer w.rescue()
	if w.called {
		w.called = false
		if w.release(w.run, &w.run.plan.steps[w.at]) {
			w.follow()
		}
	}
	for w.next() {
		w.follow()
	}
	return true
}

// rescue fails the run of a function that didn't return. The panic of anything else goes on.
func (w *worker) rescue() {
	if !w.calling {
		return
	}
	w.calling, w.called = false, true
	if v := recover(); v != nil {
		w.run.fail(w.at, &PanicError{v, debug.Stack()})
		return
	}
	w.run.fail(w.at, ErrGoexit)
}

// follow does the step in hand, then one that was waiting for it or the newest of the worker's own, and so on, but not for
// ever. A step is done by calling its function, or passed when the run has failed.
func (w *worker) follow() {
	for range fresh {
		if w.open.Offer() {
			w.e.wake(w.node)
		}
		if w.binds && w.bound.Offer() {
			w.e.wakeOn(w.node)
		}
		r := w.run
		s := &r.plan.steps[w.at]
		w.calling = true // before the look at the context, whose methods are the submitter's
		if r.over() {
			w.calling = false
			w.passed.Add(1)
		} else {
			w.functions.Add(1)
			err := s.call(r.ctx)
			w.calling = false
			if err != nil {
				r.fail(w.at, err)
			}
		}
		if !w.release(r, s) && !w.own() {
			return
		}
	}
	w.keep(&w.run.plan.steps[w.at], w.at)
	w.long = true
}

// release tells the successors of the step in hand that it has ended. True: one of those that are ready now is in
// hand.
func (w *worker) release(r *run, s *step) bool {
	if s.first == s.last {
		if r.sinks.Add(-1) == 0 {
			w.end(r)
		}
		return false
	}
	p, full := r.plan, false
	for _, i := range p.after[s.first:s.last] {
		s := &p.steps[i]
		// Who waits for one only is ready without counting.
		if s.needs > 1 && atomic.AddInt32(&r.left[i], -1) > 0 {
			continue
		}
		switch {
		case !full && w.may(s):
			w.at, full = i, true
		case w.binds:
			w.keep(s, i)
		case w.open.Push(makeName(w.slot, i)): // what keep does, without a call
			w.e.wake(w.node)
		}
	}
	return full
}

// may reports whether the step is for workers of this node. It is inlined.
func (w *worker) may(s *step) bool {
	return !w.binds || s.node == anyNode || int(s.node) == w.node
}

// keep puts a step of the run in hand, which waits for nothing, where it will be done.
func (w *worker) keep(s *step, i uint32) {
	name := makeName(w.slot, i)
	if !w.binds || s.node == anyNode {
		if w.open.Push(name) {
			w.e.wake(w.node)
		}
	} else if int(s.node) == w.node {
		if w.bound.Push(name) {
			w.e.wakeOn(w.node)
		}
	} else {
		w.e.send(int(s.node), w.slot, i)
	}
}

// begin takes a run that was submitted: its first step in hand, the others into the deque. False: there is none, or none of its
// steps is for this worker.
func (w *worker) begin() bool {
	v, ok := w.e.starts.Pop(w.e.startNodes, w.e.startLinks)
	if !ok {
		return false
	}
	w.slot = uint32(v)
	w.run = &w.e.runs[w.slot]
	p := w.run.plan
	if len(p.steps) == 0 {
		w.end(w.run)
		return false
	}
	copy(w.run.left, p.needs)
	full := false
	for _, i := range p.roots {
		if s := &p.steps[i]; !full && w.may(s) {
			w.at, full = i, true
		} else {
			w.keep(s, i)
		}
	}
	return full
}

// take takes a step in hand by its name.
func (w *worker) take(name uint64) {
	w.slot, w.at = slotOf(name), stepOf(name)
	w.run = &w.e.runs[w.slot]
}

// fresh is after how many steps a worker looks at others than its newest ones, so that no run waits for the end of all that came
// later, or of one that is long.
const fresh = 64

// next takes a step in hand, from the worker's own, or by searching. False: the executor is closed.
func (w *worker) next() bool {
	if w.long {
		w.long = false
		w.receive()
		if w.other() {
			return true
		}
	}
	if w.own() {
		return true
	}
	return w.search()
}

// other takes a new run, or the oldest of the worker's own steps, in turn.
func (w *worker) other() bool {
	w.looks++
	d := &w.open
	switch w.looks % 3 {
	case 0:
		return w.begin()
	case 1:
		d = &w.bound
	}
	name, ok := d.Steal()
	if ok {
		w.take(name)
	}
	return ok
}

// own takes the newest of the worker's steps, of those first that fewer can do.
func (w *worker) own() bool {
	if w.binds {
		if name, ok := w.bound.Take(); ok {
			w.take(name)
			return true
		}
	}
	name, ok := w.open.Take() // follow offers
	if ok {
		w.take(name)
	}
	return ok
}

// patience is how often a worker looks before it parks. It waits 1, 2, 4, ... PAUSEs in between: some microseconds in all, less
// than parking and waking take.
const patience = 6

// search looks for work elsewhere, and parks while there is none.
func (w *worker) search() bool {
	n := &w.e.nodes[w.node].idle
	n.searching.Add(1)
	w.state.Store(int32(Searching))
	for tries := 0; ; tries++ {
		if w.look() {
			w.state.Store(int32(Busy))
			w.found()
			return true
		}
		if w.over() {
			n.searching.Add(-1)
			return false
		}
		if tries < patience {
			for range 1 << tries {
				asm.Pause()
			}
			continue
		}
		w.parks.Add(1)
		w.park()
		tries = 0
	}
}

// look takes a step in hand from anywhere.
func (w *worker) look() bool {
	w.receive()
	if w.begin() || w.own() {
		return true
	}
	name, ok := w.steal()
	if ok {
		w.take(name)
	}
	return ok
}

// over reports whether no work is to come.
func (w *worker) over() bool { return w.e.closed.Load() && w.e.active.Load() == 0 }

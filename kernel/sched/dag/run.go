package dag

import (
	"context"
	"slices"
	"sync/atomic"

	"pdac/asm"
	"pdac/kernel/lockfree"
)

// run is the record of a run, one of a fixed number, used again and again. It is free, its number in
// Executor.free; or its submitter's; then its workers', until the last sink has ended; then its waiter's.
type run struct {
	plan *plan
	ctx  context.Context
	done <-chan struct{} // ctx's; nil: it cannot be cancelled

	turn  atomic.Uint64 // counts the runs, so that one is waited for once
	ended chan struct{} // a token when the run is over

	left    []int32  // of each step, how many others it still waits for; atomic, once the run has begun
	link    []uint64 // in a node's inbox (inbox.go)
	failure atomic.Pointer[Error]

	_     [lockfree.CacheLine]byte // keeps the one word that workers write at every sink off the rest
	sinks atomic.Int32             // how many have not ended
	_     [lockfree.CacheLine]byte
}

// Run is a graph under way. It is to be waited for, once, and keeps a place for itself until then.
type Run struct {
	e    *Executor
	slot uint32
	turn uint64
}

// Run submits a graph and waits for it: nil when all its functions were called and returned nil.
func (e *Executor) Run(ctx context.Context, g *Graph) error {
	if e.inside() {
		return ErrInside
	}
	r, err := e.Submit(ctx, g)
	if err != nil {
		return err
	}
	return r.Wait()
}

// Submit begins a run of the graph. When as many as there may be are under way it waits until one was waited for, or ctx
// is done; inside of a function it doesn't wait, and says ErrBusy. When ctx is done, those functions that have not begun
// are not called. It returns a *CycleError, ErrNode, ErrClosed, or what the graph's maker did wrong.
func (e *Executor) Submit(ctx context.Context, g *Graph) (Run, error) {
	return e.submit(ctx, g, !e.inside())
}

// TrySubmit is Submit, but says ErrBusy instead of waiting.
func (e *Executor) TrySubmit(ctx context.Context, g *Graph) (Run, error) {
	return e.submit(ctx, g, false)
}

func (e *Executor) submit(ctx context.Context, g *Graph, wait bool) (Run, error) {
	p, err := g.compile()
	if err != nil {
		return Run{}, err
	}
	if err := e.fits(p); err != nil {
		return Run{}, err
	}
	done := ctx.Done() // nothing is held yet, should ctx be nil
	slot, err := e.place(ctx, wait)
	if err != nil {
		return Run{}, err
	}
	e.active.Add(1) // before the look at closed: see Close
	if e.closed.Load() {
		e.free <- slot
		e.leave()
		return Run{}, ErrClosed
	}
	r := &e.runs[slot]
	r.plan, r.ctx, r.done = p, ctx, done
	r.left = slices.Grow(r.left[:0], len(p.steps))[:len(p.steps)]
	if p.nodes > 0 && len(e.nodes) > 1 {
		r.link = slices.Grow(r.link[:0], len(p.steps))[:len(p.steps)]
	}
	r.sinks.Store(p.sinks)
	started := Run{e, slot, r.turn.Load()}
	e.starts.Push(e.startNodes, e.startLinks, uint64(slot)) // has room: see NewExecutor
	e.wake(int(slot) % len(e.nodes))
	return started, nil
}

// place takes a free record.
func (e *Executor) place(ctx context.Context, wait bool) (slot uint32, err error) {
	select {
	case slot = <-e.free:
		return slot, nil
	default:
	}
	if !wait && !e.closed.Load() {
		return 0, ErrBusy
	}
	select {
	case slot = <-e.free:
		return slot, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-e.closing:
		return 0, ErrClosed
	}
}

// Wait waits until the run is over and returns its *Error, nil if all functions were called and returned nil. A
// second Wait says ErrWaited; one inside of a function ErrInside, and may be repeated outside.
func (r Run) Wait() error {
	if r.e == nil {
		return ErrWaited
	}
	if r.e.inside() {
		return ErrInside
	}
	s := &r.e.runs[r.slot]
	if !s.turn.CompareAndSwap(r.turn, r.turn+1) {
		return ErrWaited
	}
	<-s.ended
	failure := s.failure.Load()
	s.plan, s.ctx, s.done = nil, nil, nil
	s.failure.Store(nil)
	r.e.free <- r.slot
	if failure != nil {
		return failure
	}
	return nil
}

// inside reports whether the caller is a function that a worker has called.
func (e *Executor) inside() bool {
	g := asm.Goroutine()
	for _, w := range e.workers {
		if w.goroutine.Load() == uint64(g) {
			return true
		}
	}
	return false
}

// end ends a run, after its last step.
func (w *worker) end(r *run) {
	switch f := r.failure.Load(); {
	case f == nil:
		w.succeeded.Add(1)
	case f.Path == nil:
		w.cancelled.Add(1)
	default:
		w.failed.Add(1)
	}
	w.e.leave()
	r.ended <- struct{}{} // has room: each is waited for before the next
}

// leave takes one off the runs under way.
func (e *Executor) leave() {
	if e.active.Add(-1) == 0 && e.closed.Load() {
		e.wakeAll()
	}
}

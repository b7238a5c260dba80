package lockfree

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
)

// turns runs calls of several workers in turns, one step at a time.
type turns struct {
	running *worker // nil: nobody takes turns
}

type worker struct {
	next  func() (struct{}, bool)
	yield func(struct{}) bool
}

var errStopped = errors.New("still running after too many steps")

// step gives the turn back, before an access to shared memory.
func (t *turns) step() {
	if t.running != nil && !t.running.yield(struct{}{}) {
		panic(errStopped)
	}
}

// run lets the bodies take turns in an order that the seed decides; each makes some 5 steps in a
// row. It returns what a body panicked with, or errStopped if they take more than limit steps.
func (t *turns) run(seed uint64, limit int, bodies ...func()) (err error) {
	r := rand.New(rand.NewPCG(seed, 0))
	var workers []*worker
	for _, body := range bodies {
		w := new(worker)
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			defer func() {
				if p := recover(); p != nil && err == nil {
					err = fmt.Errorf("%v", p)
				}
			}()
			w.yield = yield
			body()
		})
		defer stop()
		w.next = next
		workers = append(workers, w)
	}
	at := 0
	for range limit {
		if r.IntN(5) == 0 {
			at = r.IntN(len(workers))
		}
		t.running = workers[at]
		if _, more := t.running.next(); !more {
			workers = slices.Delete(workers, at, at+1)
			at = 0
		}
		if err != nil || len(workers) == 0 {
			return err
		}
	}
	return errStopped
}

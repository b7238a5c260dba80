package ipc

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"pdac/kernel/cap"
	"pdac/kernel/rcu"
)

// until yields until f holds. It has no time limit of its own: the test's is enough.
func until(f func() bool) {
	for !f() {
		runtime.Gosched()
	}
}

func semaphoreOf(permits, places int) *semaphore {
	s := new(semaphore)
	s.init(permits, places)
	return s
}

func TestSemaphoreServesInOrder(t *testing.T) {
	const n = 200
	s := semaphoreOf(0, n)
	served := make(chan int, n)
	for i := range n {
		go func() {
			if err := s.acquire(nil, nil); err != nil {
				t.Error(err)
			}
			served <- i
		}()
		until(func() bool { return s.waiting() == i+1 })
	}
	if s.try() {
		t.Fatal("a permit from nowhere")
	}
	for i := range n {
		s.release()
		if got := <-served; got != i {
			t.Fatalf("served %d, it was the turn of %d", got, i)
		}
	}
}

func TestSemaphoreRefusesTheCrowd(t *testing.T) {
	s := semaphoreOf(0, 64)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() { s.acquire(nil, nil) })
	}
	until(func() bool { return s.waiting() == 64 })
	if err := s.acquire(nil, nil); err != ErrCrowded {
		t.Errorf("the 65th: %v", err)
	}
	s.close()
	wg.Wait()
	if err := s.acquire(nil, nil); err != ErrDead {
		t.Errorf("after the end: %v", err)
	}
}

// Whoever gives up leaves nothing behind, in front of others or between them.
func TestSemaphoreGivingUpLeavesNothing(t *testing.T) {
	s := semaphoreOf(0, 64)
	got := make(chan error)
	go func() { got <- s.acquire(nil, nil) }() // waits for long, before all the others
	until(func() bool { return s.waiting() == 1 })
	for range 1000 {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- s.acquire(ctx, nil) }()
		until(func() bool { return s.waiting() == 2 })
		cancel()
		if err := <-done; err != context.Canceled {
			t.Fatal(err)
		}
	}
	if n := s.waiters.waiting(); n != 1 {
		t.Errorf("%d places taken, one waits", n)
	}
	s.release()
	if err := <-got; err != nil || s.permits() != 0 || s.waiting() != 0 {
		t.Errorf("%v, %d permits, %d waiting", err, s.permits(), s.waiting())
	}
}

// Permits are conserved, and never more are out than there are, whoever gives up when.
func TestSemaphoreTorture(t *testing.T) {
	const permits, workers = 3, 12
	s := semaphoreOf(permits, 64)
	var out, kept, gaveUp atomic.Int64
	calls := 3000
	if testing.Short() {
		calls = 500
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for range calls {
				var err error
				switch r.IntN(3) {
				case 0:
					if !s.try() {
						continue
					}
				case 1:
					err = s.acquire(nil, nil)
				default:
					ctx, cancel := context.WithCancel(context.Background())
					if r.IntN(2) == 0 {
						cancel()
					} else {
						n := r.IntN(8)
						go func() {
							for range n {
								runtime.Gosched()
							}
							cancel()
						}()
					}
					err = s.acquire(ctx, nil)
				}
				if err != nil {
					gaveUp.Add(1)
					continue
				}
				kept.Add(1)
				if n := out.Add(1); n > permits {
					t.Errorf("%d permits are out", n)
				}
				if r.IntN(2) == 0 {
					runtime.Gosched()
				}
				out.Add(-1)
				s.release()
			}
		})
	}
	wg.Wait()
	if s.permits() != permits || s.waiters.waiting() != 0 {
		t.Errorf("%d permits left of %d, %d wait", s.permits(), permits, s.waiters.waiting())
	}
	t.Logf("%d got one, %d gave up", kept.Load(), gaveUp.Load())
	if gaveUp.Load() == 0 {
		t.Error("nobody gave up")
	}
}

// gate is a guard that plays a capability which can be revoked.
type gate struct {
	mu      sync.Mutex
	wake    func()
	revoked atomic.Bool
	inside  atomic.Bool
	leaves  atomic.Int32
}

var errRevoked = errors.New("revoked")

func (g *gate) check() error {
	if g.revoked.Load() {
		return errRevoked
	}
	return nil
}

// in is the admission of a call that it guards.
func (g *gate) in() *Admission { return &Admission{Guard: g} }

func (g *gate) Wait(_ cap.ID, _ cap.Perm, held rcu.Held, w *Watch) (rcu.Held, error) {
	g.mu.Lock()
	g.wake = w.Wake
	g.mu.Unlock()
	if err := g.check(); err != nil {
		return held, err
	}
	g.leaves.Add(1)
	g.inside.Store(false)
	w.Sleep()
	g.inside.Store(true)
	return held, g.check()
}

func (g *gate) revoke() {
	g.revoked.Store(true)
	g.rouse()
}

// rouse wakes, as revoking another capability of the same slot would.
func (g *gate) rouse() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wake != nil {
		g.wake()
	}
}

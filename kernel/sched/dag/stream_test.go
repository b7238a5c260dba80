package dag

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// gated is a graph whose one function waits for the gate.
func gated(gate chan struct{}) *Graph {
	g := New("gated")
	g.Func("wait", func(context.Context) error { <-gate; return nil })
	return g
}

// When all records are in use TrySubmit says so, and Submit waits until one was waited for, or gives up.
func TestBusy(t *testing.T) {
	const places = 3
	e := open(t, Config{Workers: 2, InFlight: places})
	gate := make(chan struct{})
	g := gated(gate)
	var runs []Run
	for range places {
		r, err := e.TrySubmit(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	if _, err := e.TrySubmit(t.Context(), g); err != ErrBusy {
		t.Fatalf("error %v, want ErrBusy", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBoom)
	if _, err := e.Submit(ctx, g); err != errBoom {
		t.Fatalf("error %v, want the cause", err)
	}
	waiting := make(chan error)
	go func() { waiting <- e.Run(t.Context(), g) }()
	select {
	case err := <-waiting:
		t.Fatalf("Run returned %v", err)
	default:
	}
	close(gate)
	for _, r := range runs {
		if err := r.Wait(); err != nil {
			t.Fatal(err)
		}
		if err := r.Wait(); err != ErrWaited {
			t.Fatalf("second Wait: %v", err)
		}
	}
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	if err := (Run{}).Wait(); err != ErrWaited {
		t.Errorf("Wait for no run: %v", err)
	}
}

// Many goroutines submit streams of the same graphs, more than there are records.
func TestStreams(t *testing.T) {
	const producers, places = 8, 5
	each := 2000
	if testing.Short() || raceDetector {
		each /= 10
	}
	e := open(t, Config{Workers: 4, InFlight: places})
	var calls, most, now atomic.Int64
	shared := New("shared")
	first := shared.Func("first", func(context.Context) error {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		return nil
	})
	end := shared.Func("end", func(context.Context) error { now.Add(-1); return nil })
	for range 10 {
		end.After(shared.Func("f", func(context.Context) error { calls.Add(1); return nil }, first))
	}
	var wg sync.WaitGroup
	for range producers {
		runs := make(chan Run, places)
		wg.Go(func() {
			for range each {
				r, err := e.Submit(t.Context(), shared)
				if err != nil {
					t.Error(err)
					break
				}
				runs <- r
			}
			close(runs)
		})
		wg.Go(func() {
			for r := range runs {
				if err := r.Wait(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := calls.Load(); got != int64(10*producers*each) {
		t.Errorf("%d calls, want %d", got, 10*producers*each)
	}
	if most.Load() > places {
		t.Errorf("%d runs were under way, want at most %d", most.Load(), places)
	}
	if s := e.Stats(); s.Succeeded != uint64(producers*each) || s.Active != 0 {
		t.Errorf("stats %+v, want %d runs", s, producers*each)
	}
}

// A function can submit, but not wait: its worker may be the one to do it.
func TestInside(t *testing.T) {
	e := open(t, Config{Workers: 1, InFlight: 2})
	inner := New("inner")
	called := false
	inner.Func("f", func(context.Context) error { called = true; return nil })
	var run Run
	outer := New("outer")
	outer.Func("f", func(ctx context.Context) error {
		var err error
		if run, err = e.Submit(ctx, inner); err != nil {
			return err
		}
		if err := run.Wait(); err != ErrInside {
			t.Errorf("Wait inside: %v", err)
		}
		if err := e.Run(ctx, inner); err != ErrInside {
			t.Errorf("Run inside: %v", err)
		}
		if err := e.Close(); err != ErrInside {
			t.Errorf("Close inside: %v", err)
		}
		if _, err := e.Submit(ctx, inner); !errors.Is(err, ErrBusy) {
			t.Errorf("Submit inside without a place: %v", err)
		}
		return nil
	})
	if err := e.Run(t.Context(), outer); err != nil {
		t.Fatal(err)
	}
	if err := run.Wait(); err != nil || !called {
		t.Errorf("inner run: %v, called %v", err, called)
	}
}

// chain adds functions that are called one after the other.
func chain(g *Graph, length int, f func(context.Context) error) {
	last := g.Func("0", f)
	for range length - 1 {
		last = g.Func("f", f, last)
	}
}

// A new run begins while the one worker follows a long chain.
func TestNewRunBesideLongChain(t *testing.T) {
	e := open(t, Config{Workers: 1})
	var inner Run
	steps, seen := 0, 0
	short := New("short")
	short.Func("f", func(context.Context) error { seen = steps; return nil })
	long := New("long")
	chain(long, 100*fresh, func(ctx context.Context) (err error) {
		if steps++; steps == 1 {
			inner, err = e.Submit(ctx, short)
		}
		return err
	})
	if err := e.Run(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	if err := inner.Wait(); err != nil || seen == 0 || seen > 4*fresh {
		t.Errorf("the new run, error %v, was done after %d steps of the chain, want at most %d", err, seen, 4*fresh)
	}
}

// The first run gets its share beside others, as long as it, that never cease to come after it.
func TestOldRunBesideNewOnes(t *testing.T) {
	const places = 8
	e := open(t, Config{Workers: 1, InFlight: places})
	var stop atomic.Bool
	runs := make(chan Run, places)
	next := New("next")
	again := func(ctx context.Context) error {
		if stop.Load() {
			return nil
		}
		r, err := e.TrySubmit(ctx, next)
		if err == nil {
			runs <- r // has room: as many as there may be
		} else if err == ErrBusy || err == ErrClosed {
			err = nil
		}
		return err
	}
	chain(next, 20*fresh, again)
	first, err := e.Submit(t.Context(), next)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for r := range runs {
			wg.Go(func() { // in the order in which they end
				if err := r.Wait(); err != nil {
					t.Error(err)
				}
			})
		}
	})
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
	stop.Store(true)
	if s := e.Stats(); s.Succeeded > 3*places {
		t.Errorf("%d others ended before the first of %d", s.Succeeded-1, places)
	}
	e.Close()
	close(runs)
	wg.Wait()
}

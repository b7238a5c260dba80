package dag

import (
	"context"
	"errors"
	"runtime"
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

// A run gets its turn while longer ones, and streams of others, keep the one worker busy: short ones end, and
// each stream goes on.
func TestNoRunWaitsForLongOnes(t *testing.T) {
	e := open(t, Config{Workers: 1, InFlight: 8})
	var stop atomic.Bool
	steps := make([]atomic.Int64, 4)
	var wg sync.WaitGroup
	for i := range steps {
		g := New("long")
		last := g.Func("f", nothing)
		for range 10 * fresh {
			last = g.Func("f", func(context.Context) error { steps[i].Add(1); return nil }, last)
		}
		wg.Go(func() {
			for !stop.Load() {
				if err := e.Run(t.Context(), g); err != nil {
					t.Error(err)
				}
			}
		})
	}
	short := New("short")
	short.Func("f", nothing)
	for range 100 {
		var before [4]int64
		for i := range steps {
			before[i] = steps[i].Load()
		}
		if err := e.Run(t.Context(), short); err != nil {
			t.Fatal(err)
		}
		for i := range steps {
			for steps[i].Load() == before[i] { // for ever, if it starves
				runtime.Gosched()
			}
		}
	}
	stop.Store(true)
	wg.Wait()
}

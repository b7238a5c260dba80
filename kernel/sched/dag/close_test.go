package dag

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pdac/asm"
)

// workersAlive returns how many goroutines are workers' of any executor.
func workersAlive() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "dag.(*worker).main(")
}

// Close waits for the runs that were submitted, ends every worker, and leaves nothing behind, however often it is
// called.
func TestCloseEndsWorkers(t *testing.T) {
	before := workersAlive()
	for round := range 50 {
		e, err := NewExecutor(Config{Workers: 1 + round%8})
		if err != nil {
			t.Fatal(err)
		}
		var calls atomic.Int32
		g := New("g")
		root := g.Func("root", nothing)
		for range 100 {
			g.Func("f", func(context.Context) error {
				if calls.Add(1) == 50 && round%2 == 0 {
					runtime.Goexit()
				}
				return nil
			}, root)
		}
		r, err := e.Submit(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { e.Close() })
		}
		wg.Wait()
		for workersAlive() != before { // for ever, if one is left; the last may be on its way out
			runtime.Gosched()
		}
		if err := r.Wait(); (err != nil) != (round%2 == 0) || err == nil && calls.Load() != 100 {
			t.Fatalf("error %v after %d calls", err, calls.Load())
		}
		if _, err := e.Submit(t.Context(), g); err != ErrClosed {
			t.Fatalf("Submit after Close: %v", err)
		}
		for i, w := range e.Stats().Workers {
			if w.State != Ended {
				t.Errorf("worker %d is %v", i, w.State)
			}
		}
	}
}

// Close meets workers that are on their way to sleep.
func TestCloseAtAnyTime(t *testing.T) {
	rounds := 20000
	if testing.Short() || raceDetector {
		rounds /= 10
	}
	for round := range rounds {
		e, err := NewExecutor(Config{Workers: 1 + round%3, InFlight: 1})
		if err != nil {
			t.Fatal(err)
		}
		for e.workers[0].parks.Load() == 0 && round%4 > 0 {
			runtime.Gosched()
		}
		for range round % 97 {
			asm.Pause()
		}
		e.Close()
	}
}

// Submit that races with Close either runs, or says ErrClosed; also when it waits for a place.
func TestCloseRacesWithSubmit(t *testing.T) {
	for range 200 {
		e, err := NewExecutor(Config{Workers: 2, InFlight: 2})
		if err != nil {
			t.Fatal(err)
		}
		var submitted, calls atomic.Int32
		g := New("g")
		g.Func("f", func(context.Context) error { calls.Add(1); return nil })
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					r, err := e.Submit(t.Context(), g)
					if err == ErrClosed {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if submitted.Add(1)%3 > 0 { // else it keeps its place
						r.Wait()
					}
				}
			})
		}
		for submitted.Load() < 4 {
			runtime.Gosched()
		}
		e.Close()
		wg.Wait()
		if submitted.Load() != calls.Load() {
			t.Fatalf("%d runs and %d calls", submitted.Load(), calls.Load())
		}
	}
}

// Pin is called once by each worker, on a thread that it keeps.
func TestPin(t *testing.T) {
	var mu sync.Mutex
	var pinned []int
	e := open(t, Config{Workers: 5, Pin: func(w int) error {
		mu.Lock()
		defer mu.Unlock()
		pinned = append(pinned, w)
		return nil
	}})
	slices.Sort(pinned)
	if !slices.Equal(pinned, []int{0, 1, 2, 3, 4}) {
		t.Errorf("pinned %v", pinned)
	}
	g := New("g")
	root := g.Func("root", nothing)
	for range 1000 {
		g.Func("f", nothing, root)
	}
	for range 20 {
		if err := e.Run(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
}

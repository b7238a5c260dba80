package dag

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// line makes workers of a machine whose nodes lie in a line, two workers each.
func line(workers int) Config {
	return Config{
		Workers:  workers,
		Node:     func(w int) int { return w / 2 },
		Distance: func(from, to int) int { return 10 + 10*max(from-to, to-from) },
	}
}

// Affinity asks the near before the far; Circular all in turn, and the last one again first; Random each some time.
func TestVictims(t *testing.T) {
	e := &Executor{config: line(8)}
	e.makeRuns()
	if err := e.makeNodes(); err != nil { // workers that don't run
		t.Fatal(err)
	}
	thief := e.workers[2]
	take := func(s Strategy) (from int) {
		e.SetStrategy(s)
		name, ok := thief.steal()
		if !ok {
			return -1
		}
		return int(stepOf(name))
	}
	each := func() {
		for i, w := range e.workers {
			for _, ok := w.open.Pop(); ok; _, ok = w.open.Pop() {
			}
			if w != thief {
				w.open.Push(makeName(0, uint32(i)))
			}
		}
	}
	each()
	var order []int
	for range 7 {
		order = append(order, take(Affinity))
	}
	distance := func(w int) int { return max(e.workers[w].node-1, 1-e.workers[w].node) }
	if !slices.IsSortedFunc(order, func(a, b int) int { return distance(a) - distance(b) }) || order[0] != 3 {
		t.Errorf("affinity robs %v from worker 2", order)
	}
	if take(Affinity) != -1 {
		t.Error("robbed somebody without anything")
	}
	each()
	order = order[:0]
	for range 7 {
		order = append(order, take(Circular))
	}
	again := order[6]
	if slices.Sort(order); !slices.Equal(order, []int{0, 1, 3, 4, 5, 6, 7}) {
		t.Errorf("circular robs %v", order)
	}
	each()
	if got := take(Circular); got != again {
		t.Errorf("circular begins with worker %d, want %d, which it robbed last", got, again)
	}
	var seen [8]bool
	for range 1000 {
		each()
		if w := take(Random); w >= 0 {
			seen[w] = true
		}
	}
	if !slices.Equal(seen[:], []bool{true, true, false, true, true, true, true, true}) {
		t.Errorf("random robbed %v", seen)
	}
	for _, s := range e.Stats().Steals {
		if s.Hits == 0 || s.Hits > s.Tries || s.Distance < 10 || s.Distance > 30 {
			t.Errorf("steals %+v", s)
		}
	}
	if n := len(e.Stats().Steals); n != 9 {
		t.Errorf("%d kinds of steals, want 3 strategies by 3 distances", n)
	}
}

// A strategy may change at any time.
func TestStrategySwitchedLive(t *testing.T) {
	e := open(t, line(6))
	var calls atomic.Int64
	g := New("g")
	root := g.Func("root", nothing)
	for range 200 {
		g.Func("f", func(context.Context) error { calls.Add(1); return nil }, root)
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for s := Strategy(0); !stop.Load(); s = (s + 1) % strategies {
			if err := e.SetStrategy(s); err != nil {
				t.Error(err)
			}
		}
	})
	const rounds = 200
	for range rounds {
		if err := e.Run(t.Context(), g); err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	wg.Wait()
	if got := calls.Load(); got != 200*rounds {
		t.Errorf("%d calls, want %d", got, 200*rounds)
	}
	if e.SetStrategy(strategies) == nil || e.SetStrategy(-1) == nil {
		t.Error("a strange strategy was accepted")
	}
}

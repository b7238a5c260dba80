package dag

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
)

// open starts an executor for one test.
func open(t testing.TB, c Config) *Executor {
	t.Helper()
	e, err := NewExecutor(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func nothing(context.Context) error { return nil }

func TestDiamond(t *testing.T) {
	e := open(t, Config{Workers: 4})
	var a, b, c, d int
	g := New("diamond")
	fa := g.Func("a", func(context.Context) error { a = 1; return nil })
	fb := g.Func("b", func(context.Context) error { b = a + 1; return nil }, fa)
	fc := g.Func("c", func(context.Context) error { c = a + 2; return nil }, fa)
	g.Func("d", func(context.Context) error { d = b + c; return nil }, fb, fc)
	for range 1000 {
		a, b, c, d = 0, 0, 0, 0
		if err := e.Run(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if d != 5 {
			t.Fatalf("d = %d, want 5", d)
		}
	}
}

func TestEmptyGraph(t *testing.T) {
	e := open(t, Config{Workers: 2})
	for range 100 {
		if err := e.Run(t.Context(), New("empty")); err != nil {
			t.Fatal(err)
		}
	}
}

// A million functions, each after some of the layer before, are called once each.
func TestExactlyOnce(t *testing.T) {
	total := 1_000_000
	if testing.Short() || raceDetector {
		total /= 20
	}
	const width = 1000
	calls := make([]atomic.Int32, total)
	g := New("million")
	var before, layer []*Func
	for i := range total {
		var after []*Func
		if before != nil {
			after = []*Func{before[i%width], before[(i*7+1)%width], before[(i*13+5)%width]}
		}
		layer = append(layer, g.Func("f", func(context.Context) error {
			for _, o := range after {
				if calls[o.index].Load() != 1 {
					return errors.New("called too early")
				}
			}
			calls[i].Add(1)
			return nil
		}, after...))
		if len(layer) == width {
			before, layer = layer, nil
		}
	}
	e := open(t, Config{Workers: 4})
	if err := e.Run(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	for i := range calls {
		if n := calls[i].Load(); n != 1 {
			t.Fatalf("function %d was called %d times", i, n)
		}
	}
	if s := e.Stats(); s.Functions != uint64(total) || s.Passed != 0 || s.Succeeded != 1 {
		t.Errorf("stats %+v, want %d functions of one run", s, total)
	}
}

// All numbers of workers, strategies and nodes, with one wide graph and one long one.
func TestShapes(t *testing.T) {
	const size = 3000
	var sum atomic.Int64
	add := func(context.Context) error { sum.Add(1); return nil }
	wide, long := New("wide"), New("long")
	root := wide.Func("root", add)
	end := wide.Func("end", add)
	last := long.Func("first", add)
	for i := range size - 2 {
		end.After(wide.Func(fmt.Sprint(i), add, root))
		last = long.Func(fmt.Sprint(i), add, last)
	}
	long.Func("last", add, last)
	for workers := 1; workers <= 16; workers++ {
		for strategy := range strategies {
			nodes := 1 + workers%4
			e := open(t, Config{Workers: workers, Strategy: strategy, Node: func(w int) int { return w % nodes }})
			sum.Store(0)
			for range 3 {
				for _, g := range []*Graph{wide, long} {
					if err := e.Run(t.Context(), g); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := sum.Load(); got != 6*size {
				t.Fatalf("%d workers, %v: %d calls, want %d", workers, strategy, got, 6*size)
			}
			e.Close()
		}
	}
}

// Functions whose results are of use when their run is over need no more than that to be read.
func TestRunIsABarrier(t *testing.T) {
	e := open(t, Config{Workers: 4})
	results := make([]int, 100)
	g := New("independent")
	for i := range results {
		g.Func("f", func(context.Context) error { results[i]++; return nil })
	}
	for round := range 200 {
		if err := e.Run(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r != round+1 {
				t.Fatalf("round %d: result %d is %d", round, i, r)
			}
		}
	}
}

// A graph that is run again allocates nothing.
func TestRunDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Log("the race detector allocates")
		return
	}
	e := open(t, Config{Workers: 2})
	g := New("again")
	root := g.Func("root", nothing)
	for range 100 {
		g.Func("leaf", nothing, root)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 100 * defaultInFlight {
		if err := e.Run(ctx, g); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(1000, func() { e.Run(ctx, g) }); n >= 0.5 {
		t.Errorf("%v allocations a run", n)
	}
}

func TestConfigIsChecked(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]Config{
		"no workers":         {},
		"a negative number":  {Workers: 1, InFlight: -1},
		"a strange strategy": {Workers: 1, Strategy: strategies},
		"a negative node":    {Workers: 1, Node: func(int) int { return -1 }},
		"a short way":        {Workers: 2, Distance: func(from, to int) int { return -1 }},
		"no CPU": {Workers: 2, Pin: func(w int) error {
			if w == 1 {
				return boom
			}
			return nil
		}},
	} {
		if e, err := NewExecutor(c); err == nil || e != nil {
			t.Errorf("%s: accepted", name)
		} else if c.Pin != nil && !errors.Is(err, boom) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

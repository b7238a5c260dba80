package dag

import (
	"context"
	"math/bits"
	"runtime"
	"sync"
	"testing"
)

// parked waits until all workers are, and nobody has been woken.
func parked(e *Executor) Stats {
	for {
		asleep := 0
		for i := range e.nodes {
			for k := range e.nodes[i].idle.parked {
				asleep += bits.OnesCount64(e.nodes[i].idle.parked[k].Load())
			}
		}
		s := e.Stats()
		for _, w := range s.Workers {
			if w.State != Parked {
				asleep--
			}
		}
		if asleep == len(s.Workers) {
			return s
		}
		runtime.Gosched()
	}
}

// Without work all workers park, and stay so.
func TestIdleWorkersPark(t *testing.T) {
	e := open(t, Config{Workers: 6, Node: func(w int) int { return w % 2 }})
	g := New("g")
	root := g.Func("root", nothing)
	for range 100 {
		g.Func("f", nothing, root)
	}
	for range 20 {
		if err := e.Run(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		before := parked(e)
		for range 1000 {
			runtime.Gosched()
		}
		after := e.Stats()
		for i := range after.Workers {
			if a, b := after.Workers[i], before.Workers[i]; a != b {
				t.Fatalf("worker %d was %+v, and is %+v without work", i, b, a)
			}
		}
		if n := e.nodes[0].idle.searching.Load() + e.nodes[1].idle.searching.Load(); n != 0 {
			t.Fatalf("%d count as searching, and all are parked", n)
		}
	}
}

// As many functions that wait for each other as there are workers: each is called only if each worker is woken, though all of
// them became ready at once and none of them ends.
func TestEveryWorkerIsWoken(t *testing.T) {
	for _, nodes := range []int{1, 2, 3} {
		const workers = 6
		e := open(t, Config{Workers: workers, Node: func(w int) int { return w % nodes }})
		var all sync.WaitGroup
		g, bound := New("open"), New("bound")
		meet := func(context.Context) error { all.Done(); all.Wait(); return nil }
		root, from := g.Func("root", nothing), bound.Func("root", nothing)
		for i := range workers {
			g.Func("f", meet, root)
			bound.Func("f", meet, from).OnNode(i % nodes)
		}
		rounds := 300
		if raceDetector {
			rounds = 50
		}
		for round := range rounds {
			all.Add(workers)
			if round%3 == 0 {
				parked(e)
			}
			run := g
			if round%2 == 0 {
				run = bound
			}
			if err := e.Run(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A function that lasts hides none that is ready: the others are done beside it.
func TestNothingWaitsBehindALongFunction(t *testing.T) {
	e := open(t, Config{Workers: 2})
	const size = 100
	var others sync.WaitGroup
	g := New("g")
	first := g.Func("first", nothing)
	g.Func("long", func(context.Context) error { others.Wait(); return nil }, first)
	for range size {
		g.Func("f", func(context.Context) error { others.Done(); return nil }, first)
	}
	for range 200 {
		others.Add(size)
		if err := e.Run(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
}

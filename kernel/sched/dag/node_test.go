package dag

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"pdac/asm"
)

// where returns the node of the worker that calls.
func (e *Executor) where(t *testing.T) int {
	g := uint64(asm.Goroutine())
	for _, w := range e.workers {
		if w.goroutine.Load() == g {
			return w.node
		}
	}
	t.Error("a function is called by no worker")
	return -1
}

// Functions that are bound to a node are called there and nowhere else, whoever makes them ready, and the others
// anywhere.
func TestNodesAreKept(t *testing.T) {
	const nodes, layers, width = 3, 20, 30
	for strategy := range strategies {
		e := open(t, Config{Workers: 7, Strategy: strategy, Node: func(w int) int { return w % nodes }})
		var calls, strangers atomic.Int64
		g := New("bound")
		var before []*Func
		for range layers {
			var layer []*Func
			for i := range width {
				node := i%(nodes+1) - 1
				f := g.Func(fmt.Sprint(node), func(context.Context) error {
					calls.Add(1)
					if at := e.where(t); node != anyNode && at != node {
						strangers.Add(1)
					}
					return nil
				})
				if node != anyNode {
					f.OnNode(node)
				}
				if before != nil {
					f.After(before[i], before[(i+1)%width], before[(i*5+2)%width])
				}
				layer = append(layer, f)
			}
			before = layer
		}
		const rounds = 30
		for range rounds {
			if err := e.Run(t.Context(), g); err != nil {
				t.Fatal(err)
			}
		}
		if got := calls.Load(); got != rounds*layers*width || strangers.Load() > 0 {
			t.Errorf("%v: %d calls, %d on the wrong node; want %d and none", strategy, got, strangers.Load(), rounds*layers*width)
		}
	}
}

// One step after the other from node to node: nobody but the one woken through the inbox can do it.
func TestStepsGoToParkedNodes(t *testing.T) {
	const nodes = 4
	e := open(t, Config{Workers: nodes, Node: func(w int) int { return w }})
	g := New("round")
	last := g.Func("f", nothing).OnNode(0)
	for i := range 400 {
		last = g.Func("f", nothing, last).OnNode((i + 1) % nodes)
	}
	for range 20 {
		if err := e.Run(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	for i, w := range e.Stats().Workers {
		if w.Node != i || w.Functions == 0 {
			t.Errorf("worker %d on node %d called %d functions", i, w.Node, w.Functions)
		}
	}
}

// A node number may be missing in between.
func TestNodeWithoutWorkers(t *testing.T) {
	e := open(t, Config{Workers: 2, Node: func(w int) int { return 2 * w }})
	g := New("bound")
	g.Func("f", nothing, g.Func("f", nothing).OnNode(2)).OnNode(0)
	for range 100 {
		if err := e.Run(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	g.Func("f", nothing).OnNode(1)
	if err := e.Run(t.Context(), g); err == nil {
		t.Error("a function ran on a node without workers")
	}
}

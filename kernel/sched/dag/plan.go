package dag

import (
	"context"
	"fmt"
	"slices"
)

// plan is a graph as workers use it. It never changes, so runs share it.
type plan struct {
	name  string
	steps []step
	after []uint32 // indices of the successors, those of each step together
	needs []int32  // how many others each step waits for
	roots []uint32 // steps that wait for none
	sinks int32    // steps that none waits for
	nodes int      // one above the highest node that a step is bound to

	// Of failures only.
	names []string
	via   []int32 // the first one that a step waits for; -1: a root
}

// step is a function in a plan.
type step struct {
	call        func(context.Context) error
	first, last uint32 // its successors: after[first:last]
	needs       int32
	node        int32
}

// CycleError says that functions wait for each other.
type CycleError struct {
	Graph string
	Path  []string // names, each called after the one before it; the last is the first again
}

func (e *CycleError) Error() string {
	return fmt.Sprintf("dag: graph %s: cycle %s", e.Graph, shorten(e.Path))
}

// compile returns the graph's plan, the one that it has if nothing has changed.
func (g *Graph) compile() (*plan, error) {
	if p := g.plan.Load(); p != nil {
		return p, nil
	}
	if g.err != nil {
		return nil, g.err
	}
	n := len(g.funcs)
	p := &plan{
		name: g.name, steps: make([]step, n), needs: make([]int32, n),
		names: make([]string, n), via: make([]int32, n),
	}
	successors := make([][]uint32, n)
	edges := 0
	for i, f := range g.funcs {
		p.steps[i] = step{call: f.call, needs: int32(len(f.after)), node: f.node}
		p.needs[i], p.names[i], p.via[i] = int32(len(f.after)), f.name, -1
		p.nodes = max(p.nodes, int(f.node)+1)
		if len(f.after) == 0 {
			p.roots = append(p.roots, uint32(i))
		} else {
			p.via[i] = f.after[0]
		}
		for _, o := range f.after {
			successors[o] = append(successors[o], uint32(i))
		}
		edges += len(f.after)
	}
	p.after = make([]uint32, 0, edges)
	for i, s := range successors {
		p.steps[i].first = uint32(len(p.after))
		p.after = append(p.after, s...)
		p.steps[i].last = uint32(len(p.after))
		if len(s) == 0 {
			p.sinks++
		}
	}
	if path := g.cycle(p); path != nil {
		return nil, &CycleError{g.name, path}
	}
	g.plan.Store(p)
	return p, nil
}

// cycle returns the names on a cycle, nil if there is none: it takes away what waits for nothing, again and
// again (A. B. Kahn, "Topological Sorting of Large Networks", CACM 5(11), 1962), and every function that is left
// waits for another one that is.
func (g *Graph) cycle(p *plan) []string {
	left := slices.Clone(p.needs)
	ready := slices.Clone(p.roots)
	for k := 0; k < len(ready); k++ {
		s := p.steps[ready[k]]
		for _, i := range p.after[s.first:s.last] {
			if left[i]--; left[i] == 0 {
				ready = append(ready, i)
			}
		}
	}
	if len(ready) == len(left) {
		return nil
	}
	at := int32(slices.IndexFunc(left, func(n int32) bool { return n > 0 }))
	seen := make([]bool, len(left))
	var back []int32 // each waits for the next
	for !seen[at] {
		seen[at] = true
		back = append(back, at)
		for _, o := range g.funcs[at].after {
			if left[o] > 0 {
				at = o
				break
			}
		}
	}
	back = append(back[slices.Index(back, at):], at)
	var path []string
	for _, i := range slices.Backward(back) {
		path = append(path, p.names[i])
	}
	return path
}

// path returns the names that lead to a step from one that waits for none, each step's first dependency before it.
func (p *plan) path(at uint32) (path []string) {
	for i := int32(at); i >= 0; i = p.via[i] {
		path = append(path, p.names[i])
	}
	slices.Reverse(path)
	return path
}

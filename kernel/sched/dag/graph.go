package dag

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// Graph is a set of functions and of what each must wait for. One goroutine at a time builds it; any
// number may submit it then, as often as they like, also while it runs. What is changed afterwards counts from
// the next Submit on.
type Graph struct {
	name  string
	funcs []*Func
	err   error // the first mistake of its maker's
	plan  atomic.Pointer[plan]
}

// Func is a function of a graph.
type Func struct {
	graph *Graph
	index int32
	name  string
	call  func(context.Context) error
	after []int32 // indices of functions
	node  int32   // anyNode: wherever
}

const anyNode = -1

// New returns an empty graph. Errors call it by its name.
func New(name string) *Graph { return &Graph{name: name} }

// Func adds a function that is called after the others have returned without an error. It gets the context
// that the graph was submitted with. A nil function, or one after functions of another graph, makes
// Submit fail.
func (g *Graph) Func(name string, call func(context.Context) error, after ...*Func) *Func {
	f := &Func{graph: g, index: int32(len(g.funcs)), name: name, call: call, node: anyNode}
	if call == nil {
		g.mistake(fmt.Errorf("function %s is nil", name))
	}
	g.funcs = append(g.funcs, f)
	return f.After(after...)
}

// After adds functions that f is called after, and returns f. This is how a cycle can come about, which makes
// Submit fail.
func (f *Func) After(others ...*Func) *Func {
	for _, o := range others {
		if o == nil || o.graph != f.graph {
			f.graph.mistake(fmt.Errorf("function %s is to wait for one of another graph", f.name))
			continue
		}
		f.after = append(f.after, o.index)
	}
	f.graph.plan.Store(nil)
	return f
}

// OnNode lets f be called by workers of this NUMA node only, and returns f. A node without workers makes Submit
// fail.
func (f *Func) OnNode(node int) *Func {
	if f.node = int32(node); node < 0 || int(f.node) != node {
		f.graph.mistake(fmt.Errorf("function %s on node %d: %w", f.name, node, ErrNode))
		f.node = anyNode
	}
	f.graph.plan.Store(nil)
	return f
}

func (g *Graph) mistake(err error) {
	if g.err == nil {
		g.err = fmt.Errorf("dag: graph %s: %w", g.name, err)
	}
	g.plan.Store(nil)
}

// What Submit and Wait return beside the errors of functions.
var (
	ErrBusy   = errors.New("dag: as many runs as there may be are under way")
	ErrClosed = errors.New("dag: the executor is closed")
	ErrInside = errors.New("dag: a function must not wait for a run")
	ErrWaited = errors.New("dag: this run was waited for before")
	ErrNode   = errors.New("no worker on this node")
	ErrGoexit = errors.New("the function ended its goroutine")
)

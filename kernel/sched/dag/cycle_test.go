package dag

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A cycle is refused and named, wherever in the graph it is, and nothing is called.
func TestCycles(t *testing.T) {
	e := open(t, Config{Workers: 2})
	called := func(context.Context) error { t.Error("a function of a graph with a cycle was called"); return nil }
	for name, c := range map[string]struct {
		build func(g *Graph)
		path  []string
	}{
		"self": {func(g *Graph) {
			a := g.Func("a", called)
			a.After(a)
		}, []string{"a", "a"}},
		"two": {func(g *Graph) {
			a := g.Func("a", called)
			a.After(g.Func("b", called, a))
		}, []string{"a", "b", "a"}},
		"behind others": {func(g *Graph) {
			root := g.Func("root", called)
			a := g.Func("a", called, root)
			b := g.Func("b", called, root, a)
			c := g.Func("c", called, b)
			a.After(c)
			g.Func("end", called, c)
		}, []string{"a", "b", "c", "a"}},
		"before others": {func(g *Graph) {
			end := g.Func("end", called)
			middle := g.Func("middle", called)
			a := g.Func("a", called)
			b := g.Func("b", called, a)
			a.After(b)
			end.After(middle.After(b))
		}, []string{"b", "a", "b"}},
	} {
		g := New(name)
		g.Func("beside", called)
		c.build(g)
		err := e.Run(t.Context(), g)
		var cycle *CycleError
		if !errors.As(err, &cycle) || cycle.Graph != name || len(cycle.Path) != len(c.path) {
			t.Errorf("%s: error %v, want the cycle %q", name, err, c.path)
			continue
		}
		// Any function of the cycle may come first.
		ring, want := cycle.Path[1:], c.path[1:]
		turned := slices.Index(ring, want[0])
		if turned < 0 || cycle.Path[0] != ring[len(ring)-1] || !slices.Equal(slices.Concat(ring[turned:], ring[:turned]), want) {
			t.Errorf("%s: cycle %q, want %q", name, cycle.Path, c.path)
		}
	}
}

func TestLongCycle(t *testing.T) {
	const size = 100_000
	g := New("long")
	first := g.Func("0", nothing)
	last := first
	for i := range size - 1 {
		last = g.Func(fmt.Sprint(i+1), nothing, last)
	}
	e := open(t, Config{Workers: 2})
	if err := e.Run(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	first.After(last)
	var cycle *CycleError
	if err := e.Run(t.Context(), g); !errors.As(err, &cycle) || len(cycle.Path) != size+1 {
		t.Fatalf("error of %d names, want %d", len(cycle.Path), size+1)
	}
	if text := cycle.Error(); len(text) > 200 || !strings.Contains(text, " > ... 99991 more ... > ") {
		t.Errorf("error %.300q", text)
	}
	for k := 1; k < len(cycle.Path); k++ {
		var a, b int
		fmt.Sscan(cycle.Path[k-1], &a)
		fmt.Sscan(cycle.Path[k], &b)
		if b != (a+1)%size {
			t.Fatalf("%d is called after %d?", b, a)
		}
	}
}

// What is added to a graph after a run counts in the next one.
func TestGraphGrows(t *testing.T) {
	e := open(t, Config{Workers: 2})
	g := New("growing")
	calls := 0
	var last *Func
	for want := 1; want < 50; want++ {
		f := g.Func("f", func(context.Context) error { calls++; return nil })
		if last != nil {
			f.After(last)
		}
		last, calls = f, 0
		if err := e.Run(t.Context(), g); err != nil || calls != want {
			t.Fatalf("%d calls, error %v, want %d", calls, err, want)
		}
	}
}

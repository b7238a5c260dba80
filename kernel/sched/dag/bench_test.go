package dag

import (
	"fmt"
	"testing"
)

// shapes of graphs for measuring what a function costs.
var shapes = []struct {
	name string
	make func(size int) *Graph
}{
	{"chain", func(size int) *Graph {
		g := New("chain")
		last := g.Func("f", nothing)
		for range size - 1 {
			last = g.Func("f", nothing, last)
		}
		return g
	}},
	{"fork-join", func(size int) *Graph {
		g := New("fork-join")
		root, end := g.Func("root", nothing), g.Func("end", nothing)
		for range size - 2 {
			end.After(g.Func("f", nothing, root))
		}
		return g
	}},
	{"tree", func(size int) *Graph {
		g := New("tree")
		f := []*Func{g.Func("f", nothing)}
		for i := 1; i < size; i++ {
			f = append(f, g.Func("f", nothing, f[(i-1)/2]))
		}
		return g
	}},
	{"grid", func(size int) *Graph {
		const width = 32
		g := New("grid")
		f := []*Func{g.Func("f", nothing)}
		for i := 1; i < size; i++ {
			n := g.Func("f", nothing)
			if i%width > 0 {
				n.After(f[i-1])
			}
			if i >= width {
				n.After(f[i-width])
			}
			f = append(f, n)
		}
		return g
	}},
}

// One operation is one function that does nothing.
func BenchmarkFunction(b *testing.B) {
	const size = 1024
	for _, s := range shapes {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", s.name, workers), func(b *testing.B) {
				e := open(b, Config{Workers: workers})
				g := s.make(size)
				for n := 0; n < b.N; n += size {
					if err := e.Run(b.Context(), g); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// One operation is a run of a graph of one function.
func BenchmarkRun(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			e := open(b, Config{Workers: workers})
			g := New("one")
			g.Func("f", nothing)
			for b.Loop() {
				if err := e.Run(b.Context(), g); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

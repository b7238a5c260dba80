// Dag measures what a function of a graph costs on the executor of kernel/sched/dag, and what the deque below it does. It is an
// image of PDAC alone, and prints a line of ticks per operation for each; a tick is one of RDTSC, which under
// run-qemu.sh --icount is one instruction. Package compare (test/bench/linux) runs it and keeps the record.
package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"pdac/asm"
	_ "pdac/board/qemu-amd64"
	"pdac/kernel/lockfree"
	"pdac/kernel/sched/dag"
)

func main() {
	debug.SetGCPercent(-1)
	deques()
	functions()
	runs()
	fmt.Println("DONE")
}

// measure reports what f spends on each of n operations, after it has warmed up.
func measure(name string, n int, f func(n int)) {
	f(n/10 + 1)
	t := asm.RDTSC()
	f(n)
	fmt.Printf("BENCH %-40s %12.1f ticks/op  (n=%d)\n", name, float64(asm.RDTSC()-t)/float64(n), n)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sink keeps results.
var sink uint64

func deques() {
	for _, burst := range []int{1, 16} {
		var d lockfree.Deque
		measure(fmt.Sprintf("deque push+pop, %d at a time", burst), 100_000, func(n int) {
			for range n / burst {
				for i := range burst {
					d.Push(uint64(i))
				}
				for range burst {
					v, _ := d.Pop()
					sink += v
				}
			}
		})
	}
}

func call(context.Context) error { sink++; return nil }

// functions measures a function in a graph of many, its share of the run's beginning and end included.
func functions() {
	const size = 10_000
	e := must(dag.NewExecutor(dag.Config{Workers: 1}))
	defer e.Close()
	for _, shape := range []struct {
		name string
		grow func(g *dag.Graph, funcs []*dag.Func)
	}{
		{"chain", func(g *dag.Graph, f []*dag.Func) { f[len(f)-1].After(f[len(f)-2]) }},
		{"tree", func(g *dag.Graph, f []*dag.Func) { f[len(f)-1].After(f[(len(f)-2)/2]) }},
		{"fork-join", func(g *dag.Graph, f []*dag.Func) {
			if n := f[len(f)-1]; n != f[1] {
				f[1].After(n.After(f[0]))
			}
		}},
	} {
		g := dag.New(shape.name)
		funcs := []*dag.Func{g.Func("f", call)}
		for range size - 1 {
			funcs = append(funcs, g.Func("f", call))
			shape.grow(g, funcs)
		}
		before := sink
		measure("dag function, "+shape.name, 10*size, func(n int) {
			for range (n + size - 1) / size {
				if err := e.Run(context.Background(), g); err != nil {
					panic(err)
				}
			}
		})
		if want := uint64(12 * size); sink-before != want {
			panic(fmt.Sprint(sink-before, " functions were called, want ", want))
		}
	}
}

// runs measures a run of one function: submitting it, waking the worker, and waiting.
func runs() {
	for name, pin := range map[string]func(int) error{
		"dag run of one function":                nil,
		"dag run of one function, locked worker": func(int) error { return nil },
	} {
		e := must(dag.NewExecutor(dag.Config{Workers: 1, Pin: pin}))
		g := dag.New("one")
		g.Func("f", call)
		measure(name, 5_000, func(n int) {
			for range n {
				if err := e.Run(context.Background(), g); err != nil {
					panic(err)
				}
			}
		})
		e.Close()
	}
}

// Graph counts words in parallel, as a graph of functions: one that splits the text, one for each part, and one that
// adds up. Then one of its functions fails, and the error says by which way.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	_ "pdac/board/qemu-amd64"
	"pdac/kernel/gate"
	"pdac/kernel/sched/dag"
)

const parts = 8

func main() {
	if err := run(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run() error {
	e, err := gate.Executor(gate.Root().Task, 0)
	if err != nil {
		return err
	}
	defer e.Close()

	text := strings.Repeat("the quick brown fox jumps over the lazy dog ", 1000)
	var words []string
	var counts [parts]map[string]int
	sum := map[string]int{}

	g := dag.New("words")
	split := g.Func("split", func(context.Context) error {
		words = strings.Fields(text)
		return nil
	})
	add := g.Func("add", func(context.Context) error {
		for _, part := range counts {
			for w, n := range part {
				sum[w] += n
			}
		}
		return nil
	})
	for i := range parts {
		count := g.Func(fmt.Sprint("count ", i), func(context.Context) error {
			counts[i] = map[string]int{}
			for _, w := range words[i*len(words)/parts : (i+1)*len(words)/parts] {
				counts[i][w]++
			}
			return nil
		}, split)
		add.After(count)
	}
	if err := e.Run(context.Background(), g); err != nil {
		return err
	}
	fmt.Printf("%d words, the %d times\n", len(words), sum["the"])

	bad := dag.New("bad")
	first := bad.Func("first", func(context.Context) error { return nil })
	bad.Func("second", func(context.Context) error { return errors.New("no luck") }, first)
	fmt.Println(e.Run(context.Background(), bad))

	cycle := dag.New("cycle")
	a := cycle.Func("a", func(context.Context) error { return nil })
	b := cycle.Func("b", func(context.Context) error { return nil }, a)
	a.After(b)
	fmt.Println(e.Run(context.Background(), cycle))

	s := e.Stats()
	fmt.Printf("%d functions on %d workers\n", s.Functions, len(s.Workers))
	return nil
}

package main

import (
	"fmt"
	"os"
	"slices"

	"pdac/test/bench/peers/measure"
	"pdac/test/bench/peers/table"
)

// indexBytes is the figure of our index, in bytes per entry.
const indexBytes = "memory/index"

func runMemory(s *measure.Samples, o options) error {
	n := slices.Max(o.sizes)
	g := grid{{fmt.Sprintf("%d entries, bytes each", n), "index", "with what it points to"}}
	all := table.Measure(n)
	for _, m := range all {
		g = append(g, []string{m.Name, digits(m.Index), digits(m.Total)})
	}
	g.print(os.Stdout)
	s.Record(indexBytes, all[len(all)-1].Index)
	return nil
}

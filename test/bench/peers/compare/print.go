package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"pdac/test/bench/peers/measure"
)

// grid is a table to be printed: the first row has the titles, the first column the names.
type grid [][]string

func (g grid) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range g {
		for i, c := range row {
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, c)
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

// cell shows the figure under name, and how many times as fast that is as peer (0: no peer).
func cell(s *measure.Samples, name string, peer float64) string {
	ns, ok := s.Median(name)
	switch {
	case !ok:
		return "-"
	case peer == 0:
		return digits(ns)
	}
	return fmt.Sprintf("%s (%s)", digits(ns), digits(peer/ns))
}

// digits shows three of them.
func digits(v float64) string {
	switch {
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

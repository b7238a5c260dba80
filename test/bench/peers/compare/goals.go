package main

import (
	"fmt"
	"io"
	"math"

	"pdac/test/bench/peers/measure"
	"pdac/test/bench/peers/readside"
	"pdac/test/bench/peers/table"
)

// verdict is a goal beside what was reached.
type verdict struct {
	goal    string
	bound   float64
	atLeast bool // else at most
	reached float64
	where   string // the worst place, for a goal that holds at several
	unit    string
}

func (v verdict) met() bool {
	// Figures are rounded as they are printed: of 2^24 slots one is lost, and 16.000001 bytes are 16.
	r := math.Round(v.reached*100) / 100
	if v.atLeast {
		return r >= v.bound
	}
	return r <= v.bound
}

// worst keeps the worse of what was reached so far and r.
func (v *verdict) worst(r float64, where string) {
	if v.where == "" || v.atLeast && r < v.reached || !v.atLeast && r > v.reached {
		v.reached, v.where = r, where
	}
}

// verdicts returns those goals for which there are figures.
func verdicts(s *measure.Samples, o options) (all []verdict) {
	add := func(v verdict) {
		if v.where != "" {
			all = append(all, v)
		}
	}
	for _, n := range o.sizes {
		faster := verdict{goal: fmt.Sprintf("lookup and check, %d entries: times as fast as %s", n, table.XsyncMap), bound: 3, atLeast: true}
		written := verdict{goal: fmt.Sprintf("the same with 1%% writers, %d entries", n), bound: 3, atLeast: true}
		dependent := verdict{goal: fmt.Sprintf("dependent lookups, %d entries: times as fast", n), bound: 2, atLeast: true}
		for _, w := range workloads {
			for _, p := range cpus {
				ours, ok := s.Median(tableName(table.Ours, n, w, p))
				peer, has := s.Median(tableName(table.XsyncMap, n, w, p))
				if !ok || !has {
					continue
				}
				v := &faster
				switch {
				case w.chase:
					v = &dependent
				case w.writes:
					v = &written
				}
				v.worst(peer/ours, at(w, p))
			}
		}
		add(faster)
		add(written)
		add(dependent)
	}
	for _, n := range o.sizes {
		alone := verdict{goal: fmt.Sprintf("cost per thread on 2 CPUs, of that on 1, %d entries", n), bound: 1.1}
		code := verdict{goal: fmt.Sprintf("the same by that of %s, %d entries", table.Loads, n), bound: 1.1}
		for _, w := range workloads {
			ours, ok := scaling(s, table.Ours, n, w)
			control, has := scaling(s, table.Loads, n, w)
			if ok {
				alone.worst(ours, w.name)
			}
			if ok && has {
				code.worst(ours/control, w.name)
			}
		}
		add(alone)
		add(code)
	}
	single := func(v verdict, name string) {
		if f, ok := s.Median(name); ok {
			v.worst(f, " ")
			add(v)
		}
	}
	single(verdict{goal: "index of a full table", bound: 16, unit: "bytes/entry"}, indexBytes)
	single(verdict{goal: "bare check, over the load", bound: 4, unit: "instructions"}, overLoad)
	for _, v := range append(dequeVerdicts(s), queueVerdicts(s)...) {
		add(v)
	}
	single(verdict{goal: "Synchronize, second CPU idle", bound: 1000, unit: "ns"}, graceName(readside.OursGrace))
	return all
}

// scaling returns what an operation of one worker takes on 2 CPUs, of what it takes on 1, without writers.
func scaling(s *measure.Samples, kind string, n int, w workload) (float64, bool) {
	one, ok := s.Median(tableName(kind, n, w, 1))
	two, has := s.Median(tableName(kind, n, w, 2))
	return two / one, ok && has && !w.writes
}

func at(w workload, cpus int) string { return fmt.Sprintf("%s, %d CPU", w.name, cpus) }

func printGoals(out io.Writer, s *measure.Samples, o options) {
	g := grid{{"goal", "", "reached", "", "worst at"}}
	for _, v := range verdicts(s, o) {
		sign, is := "at most", "missed"
		if v.atLeast {
			sign = "at least"
		}
		if v.met() {
			is = "met"
		}
		g = append(g, []string{v.goal, fmt.Sprintf("%s %v %s", sign, v.bound, v.unit), digits(v.reached), is, v.where})
	}
	fmt.Fprintln(out, "\n== goals")
	g.print(out)
}

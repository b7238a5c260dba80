package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"pdac/test/bench/peers/ck"
	"pdac/test/bench/peers/keys"
	"pdac/test/bench/peers/measure"
	"pdac/test/bench/peers/table"
)

// cpus are those that everything is measured on.
var cpus = []int{1, 2}

// workload is how a table is used.
type workload struct {
	name    string
	pattern keys.Pattern
	chase   bool // each lookup depends on the one before
	writes  bool // 1% of the operations of each worker
}

var workloads = []workload{
	{"uniform", keys.Uniform, false, false},
	{"Zipf", keys.Zipf, false, false},
	{"dependent", keys.Uniform, true, false},
	{"uniform 1%w", keys.Uniform, false, true},
	{"Zipf 1%w", keys.Zipf, false, true},
}

func tables(o options) []table.Kind {
	return slices.DeleteFunc(slices.Concat(table.Peers(), ck.Tables(), table.Control(), table.Own()), func(k table.Kind) bool {
		return k.Name != table.XsyncMap && k.Name != table.Loads &&
			!slices.ContainsFunc(o.tables, func(part string) bool { return strings.Contains(k.Name, part) })
	})
}

// tableName names a figure, in ns per operation of one worker.
func tableName(kind string, entries int, w workload, cpus int) string {
	return fmt.Sprintf("table/%s/%d/%s/%d", kind, entries, w.name, cpus)
}

func runTables(s *measure.Samples, o options) error {
	for _, n := range o.sizes {
		for range o.rounds {
			for _, k := range tables(o) {
				if err := sampleTable(s, k, n); err != nil {
					return fmt.Errorf("%s: %w", k.Name, err)
				}
			}
		}
		printTables(s, o, n)
	}
	return nil
}

// sampleTable fills one table and takes a sample of each workload.
func sampleTable(s *measure.Samples, k table.Kind, n int) error {
	t, ids := k.Build(n)
	if c, ok := t.(io.Closer); ok {
		defer c.Close()
	}
	kept, churns := table.Split(ids)
	for _, w := range workloads {
		writable, canWrite := t.(table.Writable)
		chaser, canChase := t.(table.Chaser)
		if w.writes && !canWrite || w.chase && !canChase {
			continue
		}
		seq := keys.Of(kept, w.pattern(len(kept), keys.Length(n)))
		runtime.GC() // what was built before is gone
		if got := t.Read(0, seq, 0, len(seq)); got != len(seq) {
			return fmt.Errorf("%d of %d lookups passed", got, len(seq))
		}
		for _, p := range cpus {
			at := places(len(seq))
			s.Run(tableName(k.Name, n, w, p), p, p, func(worker, n int) int {
				from := at[worker].next
				at[worker].next += n
				switch {
				case w.chase:
					return chaser.Chase(worker, seq, from, n)
				case w.writes:
					return churns[worker].Mixed(writable, worker, seq, from, n, 100)
				}
				return t.Read(worker, seq, from, n)
			})
		}
	}
	return nil
}

// place is where a worker goes on in the sequence at the next sample, which else would find in the
// caches what the last one read.
type place struct {
	next int
	_    [120]byte // no worker shares the line, or its neighbour, that another writes
}

func places(length int) (p [2]place) {
	p[1].next = length / 2
	return p
}

func printTables(s *measure.Samples, o options, n int) {
	header := []string{fmt.Sprintf("%d entries, ns", n)}
	for _, w := range workloads {
		for _, p := range cpus {
			header = append(header, fmt.Sprintf("%s, %d", w.name, p))
		}
	}
	g := grid{header}
	for _, k := range tables(o) {
		row := []string{k.Name}
		for _, w := range workloads {
			for _, p := range cpus {
				peer, _ := s.Median(tableName(table.XsyncMap, n, w, p))
				row = append(row, cell(s, tableName(k.Name, n, w, p), peer))
			}
		}
		g = append(g, row)
	}
	g.print(os.Stdout)
	fmt.Printf("per operation of one worker, on 1 and 2 CPUs with as many workers; in brackets how many times as fast as %s\n", table.XsyncMap)
}

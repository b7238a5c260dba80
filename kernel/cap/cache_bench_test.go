package cap

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"pdac/kernel/rcu"
)

// BenchmarkLookup compares Lookup through the cache with Lookup past it, on tables of several sizes.
// "next" makes each lookup wait for the one before: it measures latency. "nodes=2" is a table with the
// small pages that it has where there are several nodes (memory.go); all memory is near nevertheless.
//
// The machine may be busy with other things, so what counts is the time of a short batch, many
// times: "ns/lookup" is the lower quartile. ns/op means nothing.
func BenchmarkLookup(b *testing.B) {
	for _, of := range []struct{ size, nodes int }{
		{1 << 10, 1}, {1 << 16, 1}, {1 << 16, 2}, {1 << 20, 1}, {1 << 20, 2}, {1 << 24, 1}, {1 << 24, 2},
	} {
		var table *Table
		var ids []ID
		for _, shape := range []struct {
			name string
			s    float64
		}{{"uniform", 0}, {"zipf0.99", 0.99}, {"zipf1.2", 1.2}} {
			var seq []ID
			for _, next := range []bool{false, true} {
				for _, cached := range []bool{false, true} {
					b.Run(fmt.Sprintf("size=%d/nodes=%d/%s/next=%t/cached=%t", of.size, of.nodes, shape.name, next, cached), func(b *testing.B) {
						if table == nil {
							table, ids = bigTable(b, of.size, of.nodes)
						}
						if seq == nil {
							seq = pick(ids, 1<<20, shape.s)
						}
						useCache(table, cached)
						benchmarkLookup(b, table, seq, next)
					})
				}
			}
		}
	}
}

func benchmarkLookup(b *testing.B, table *Table, seq []ID, next bool) {
	const batch, batches = 1000, 4000
	var times []time.Duration
	for b.Loop() {
		times = times[:0]
		misses := table.misses.Sum()
		for i := range batches {
			at := i * batch % (len(seq) - batch)
			part := seq[at : at+batch]
			wait := 0
			start := time.Now()
			for j := range part {
				o, err := table.Lookup(0, part[j+wait], Read)
				if err != nil {
					b.Fatal(err)
				}
				if next {
					wait = int(o.Ref()>>47) & 1 // 0
				}
			}
			if i > batches/4 {
				times = append(times, time.Since(start))
			}
		}
		b.ReportMetric(100*float64(table.misses.Sum()-misses)/batch/batches, "%missed")
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/4])/batch, "ns/lookup")
	b.ReportMetric(0, "ns/op")
}

// pick draws from identifiers, the i-th with a probability in proportion to 1/(i+1)^s: what YCSB calls
// zipfian for s = 0.99. (math/rand's Zipf wants s > 1.)
func pick(ids []ID, count int, s float64) []ID {
	r := rand.New(rand.NewPCG(1, 2))
	sums := make([]float64, len(ids))
	sum := 0.0
	for i := range sums {
		sum += math.Pow(float64(i+1), -s)
		sums[i] = sum
	}
	out := make([]ID, count)
	for i := range out {
		out[i] = ids[sort.SearchFloat64s(sums, r.Float64()*sum)]
	}
	return out
}

// bigTable returns a table of this size in memory of its own, and its identifiers in random order.
func bigTable(b *testing.B, size, nodes int) (*Table, []ID) {
	table, err := New(Config{
		Slots: min(size+1, MaxSlots), CPUs: 2, NodeOf: func(cpu int) int { return cpu * (nodes - 1) },
		Now: func() uint64 { return 0 }, RCU: rcu.New(rcu.Config{CPUs: 2}),
	})
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]ID, min(size, MaxSlots-1))
	for i := range ids {
		if ids[i], err = table.Create(0, 1, file7, AllPerms, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return table, ids
}

// useCache makes Lookup go through the cache, or past it, whatever the size.
func useCache(t *Table, on bool) {
	t.SetCacheAbove(0)
	if on {
		t.SetCacheAbove(1)
	}
}

package cap

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// benchTable returns a table with n capabilities, in random order of their slots.
func benchTable(b *testing.B, n int) (*Table, []ID) {
	table := newTable(b, n+chunk)
	ids := make([]ID, n)
	for i := range ids {
		ids[i] = must(b)(table.Create(0, 1, file7, AllPerms, Options{}))
	}
	rand.Shuffle(n, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	b.ResetTimer()
	return table, ids
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 16, 1 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table, ids := benchTable(b, n)
			for i := range b.N {
				if !table.Check(ids[i&(n-1)], Read) {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkHolds(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 16, 1 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table, ids := benchTable(b, n)
			for i := range b.N {
				if !table.Holds(ids[i&(n-1)], Read) {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkCheckRevoked(b *testing.B) {
	table, ids := benchTable(b, 1)
	wantErr(b, table.Kill(ids[0]), nil)
	for range b.N {
		if table.Check(ids[0], Read) {
			b.Fatal("passes")
		}
	}
}

func BenchmarkDeriveRevoke(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table := newTable(b, 2*n+chunk)
			root := must(b)(table.Create(0, 1, file7, AllPerms, Options{}))
			for range b.N {
				top := must(b)(table.Derive(0, root, 1, AllPerms, Options{}))
				for range n - 1 {
					must(b)(table.Derive(0, top, 1, Read, Options{}))
				}
				if err := table.Revoke(root, top); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/cap")
		})
	}
}

func BenchmarkTag(b *testing.B) {
	p := newPermutation([2]uint64{1, 2})
	sum := uint64(0)
	for i := range b.N {
		sum += p.tag(7, uint64(i)+1)
	}
	if sum == 0 {
		b.Log("all zero")
	}
}

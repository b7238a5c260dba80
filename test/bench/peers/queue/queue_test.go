package queue

import (
	"slices"
	"sync"
	"testing"
)

// What goes in comes out: a sum that is off would mean that a figure is of another work.
func TestSums(t *testing.T) {
	const n = 20000
	for _, k := range slices.Concat(Peers(), Own()) {
		t.Run(k.Name, func(t *testing.T) {
			if got := k.New().Pairs(n); got != n*(n-1)/2 {
				t.Errorf("pairs: sum %d, want %d", got, n*(n-1)/2)
			}
			if q, ok := k.New().(Batcher); ok {
				const n = n / Batch * Batch
				if got := q.Batches(n); got != n*(n-1)/2 {
					t.Errorf("batches: sum %d, want %d", got, n*(n-1)/2)
				}
			}
			for _, workers := range []int{2, 4} {
				q, ok := k.New().(Queue)
				if !ok {
					continue
				}
				sums := make([]int, workers)
				var wg sync.WaitGroup
				for w := range workers {
					wg.Go(func() { sums[w] = Pass(q, w, workers, n) })
				}
				wg.Wait()
				half := n / (workers / 2)
				want := workers / 2 * half * (half - 1) / 2
				got := 0
				for _, s := range sums {
					got += s
				}
				if got != want {
					t.Errorf("%d workers: sum %d, want %d", workers, got, want)
				}
			}
		})
	}
}

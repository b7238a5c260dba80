package deque

import (
	"fmt"
	"sync"
	"testing"
)

// What goes in comes out: a sum that is off would mean that a figure is of another work.
func TestSums(t *testing.T) {
	const n = 20000
	for _, k := range All() {
		for _, burst := range []int{1, 16, 100} {
			for _, backOff := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%v", k.Name, burst, backOff), func(t *testing.T) {
					d, r := k.New(), new(Round)
					if got := d.Own(n, burst); got != n*(n-1)/2 {
						t.Errorf("alone: sum %d, want %d", got, n*(n-1)/2)
					}
					for range 3 {
						var sums [2]int
						var wg sync.WaitGroup
						for w := range sums {
							wg.Go(func() { sums[w] = Share(d, r, burst, backOff, w, n) })
						}
						wg.Wait()
						if got := sums[0] + sums[1]; got != n*(n-1)/2 {
							t.Errorf("sums %d, want %d in all", sums, n*(n-1)/2)
						}
					}
				})
			}
		}
	}
}

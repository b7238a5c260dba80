package lockfree

import (
	"fmt"
	"sync"
	"testing"
	"unsafe"
)

func TestCounterSum(t *testing.T) {
	const cpus, rounds = 4, 5000
	c := make(Counter, cpus)
	var wg sync.WaitGroup
	for w := range 2 * cpus { // two workers a cell: a caller may have been moved
		wg.Go(func() {
			for range rounds {
				c.Add(w%cpus, 3)
				c.Add((w+1)%cpus, -1)
			}
		})
	}
	wg.Wait()
	if got, want := c.Sum(), int64(2*2*cpus*rounds); got != want {
		t.Fatalf("Sum = %d, want %d", got, want)
	}
}

func TestCellFillsALine(t *testing.T) {
	if s := unsafe.Sizeof(Cell{}); s != CacheLine {
		t.Fatalf("a Cell has %d bytes, want %d", s, CacheLine)
	}
}

func BenchmarkCounter(b *testing.B) {
	for _, workers := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprintf("goroutines=%d", workers), func(b *testing.B) {
			c := make(Counter, workers)
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					for range b.N / workers {
						c.Add(w, 1)
					}
				})
			}
			wg.Wait()
		})
	}
}

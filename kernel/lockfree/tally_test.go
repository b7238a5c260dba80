package lockfree

import (
	"sync"
	"testing"
)

// A reader sees a number that only grows, and at the end all of it.
func TestTally(t *testing.T) {
	const adds = 10000
	var tally Tally
	var wg sync.WaitGroup
	wg.Go(func() {
		for range adds {
			tally.Add(3)
		}
	})
	for last := uint64(0); last < adds; {
		now := tally.Load()
		if now < last || now%3 != 0 {
			t.Fatalf("%d after %d", now, last)
		}
		last = now
	}
	wg.Wait()
	if got := tally.Load(); got != 3*adds {
		t.Errorf("%d in all, want %d", got, 3*adds)
	}
}

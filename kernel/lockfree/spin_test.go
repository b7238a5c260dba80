package lockfree

import (
	"sync"
	"testing"
)

// The guarded word is plain, so the race detector checks the exclusion too.
func TestSpinLockExcludes(t *testing.T) {
	const workers, rounds = 4, 2000
	var l SpinLock
	var n int
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range rounds {
				if w%2 == 0 {
					l.Lock()
				} else {
					for !l.TryLock() {
					}
				}
				n++
				l.Unlock()
			}
		})
	}
	wg.Wait()
	if n != workers*rounds {
		t.Fatalf("n = %d, want %d", n, workers*rounds)
	}
}

func TestSpinLockTryLock(t *testing.T) {
	var l SpinLock
	if !l.TryLock() || l.TryLock() {
		t.Fatal("TryLock must take a free lock and refuse a held one")
	}
	l.Unlock()
	defer func() {
		if recover() == nil {
			t.Fatal("Unlock of a free lock did not panic")
		}
	}()
	l.Unlock()
}

//go:build !race

// The race detector adds calls to every function.

package code

import (
	"sync/atomic"
	"testing"
)

type word struct{ w atomic.Uint64 }

//go:noinline
func called(x uint64) bool { return x == 7 }

//go:noinline
func check(w *word, id uint64) bool {
	if (w.w.Load()^id)&0xffff == 0 {
		return true
	}
	return called(id)
}

//go:noinline
func always(x uint64) bool { return called(x + 1) }

//go:noinline
func loops(n uint64) (sum uint64) {
	for i := range n {
		sum += sum ^ i
	}
	return sum
}

func TestCleanPathOfACheck(t *testing.T) {
	p, err := Clean(check)
	if err != nil {
		t.Fatal(err)
	}
	loads, decision := p.Loads(), p.Decision()
	if len(loads) != 1 {
		t.Fatalf("%d loads in %v, want the one of the word", len(loads), p)
	}
	if over := decision - loads[0]; over < 1 || over > 4 {
		t.Errorf("%d instructions over the load in %v", over, p)
	}
}

func TestCleanRefuses(t *testing.T) {
	if p, err := Clean(always); err == nil {
		t.Errorf("a function that calls has a clean path %v", p)
	}
	if p, err := Clean(loops); err == nil {
		t.Errorf("a loop has a path %v", p)
	}
}

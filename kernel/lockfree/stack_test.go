package lockfree

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

func TestStackLIFO(t *testing.T) {
	next := make([]uint32, 8)
	var s Stack
	if _, ok := s.Pop(next); ok || !s.Empty() {
		t.Fatal("zero Stack is not empty")
	}
	s.Push(next, 0)
	s.Push(next, 7)
	Link(next, 3, 4)
	Link(next, 4, 5)
	s.PushList(next, 3, 5)
	for _, want := range []uint32{3, 4, 5, 7, 0} {
		if got, ok := s.Pop(next); !ok || got != want {
			t.Fatalf("Pop = %d, %v, want %d", got, ok, want)
		}
	}
	if _, ok := s.PopAll(); ok {
		t.Fatal("PopAll of an empty stack")
	}
}

func TestStackPopAllWalk(t *testing.T) {
	next := make([]uint32, 4)
	var s Stack
	for i := range uint32(4) {
		s.Push(next, i)
	}
	i, ok := s.PopAll()
	for _, want := range []uint32{3, 2, 1, 0} {
		if !ok || i != want {
			t.Fatalf("walk: %d, %v, want %d", i, ok, want)
		}
		i, ok = Next(next, i)
	}
	if ok || !s.Empty() {
		t.Fatal("the list does not end, or the stack is not empty")
	}
}

// A Pop that was overtaken must fail: the same element is on top again, over another one than the
// link that was read says.
func TestStackStalePopFails(t *testing.T) {
	next := make([]uint32, 3)
	var s Stack
	for i := range uint32(3) {
		s.Push(next, i) // 2 1 0
	}
	stale := s.head.Load()
	s.Pop(next)     // 2
	s.Pop(next)     // 1, which the stale link names
	s.Push(next, 2) // 2 0
	now := s.head.Load()
	if uint32(now) != uint32(stale) {
		t.Fatal("the test's set-up is wrong: another element is on top")
	}
	if now == stale {
		t.Fatal("head has the same bits after two removals")
	}
}

func TestStackTagWraps(t *testing.T) {
	next := make([]uint32, 2)
	var s Stack
	s.head.Store(0xffffffff << 32)
	s.Push(next, 1)
	if i, ok := s.Pop(next); !ok || i != 1 {
		t.Fatalf("Pop = %d, %v", i, ok)
	}
	if h := s.head.Load(); h != 0 {
		t.Fatalf("head = %#x, want tag 0 and empty", h)
	}
}

// Elements move between stacks that share their links; each carries an owner's stamp, so that an
// element in two hands shows, and none may be lost.
func TestStackTorture(t *testing.T) {
	const workers, elements, stacks = 8, 64, 3
	rounds := 20000
	if testing.Short() {
		rounds = 2000
	}
	next := make([]uint32, elements)
	owner := make([]atomic.Int32, elements)
	var s [stacks]Stack
	for i := range uint32(elements) {
		s[i%stacks].Push(next, i)
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			take := func(i uint32) {
				if !owner[i].CompareAndSwap(0, int32(w+1)) {
					t.Errorf("element %d is in two hands", i)
				}
			}
			give := func(i uint32) {
				if !owner[i].CompareAndSwap(int32(w+1), 0) {
					t.Errorf("element %d was not in hand %d", i, w)
				}
			}
			for range rounds {
				from, to := &s[r.IntN(stacks)], &s[r.IntN(stacks)]
				switch r.IntN(8) {
				case 0: // everything, one by one
					i, ok := from.PopAll()
					for ok {
						take(i)
						n, more := Next(next, i)
						give(i)
						to.Push(next, i)
						i, ok = n, more
					}
				case 1: // a pair, in one step
					a, ok := from.Pop(next)
					if !ok {
						continue
					}
					take(a)
					b, ok := from.Pop(next)
					if !ok {
						b = a
					} else {
						take(b)
						Link(next, a, b)
						give(b)
					}
					give(a)
					to.PushList(next, a, b)
				default:
					if i, ok := from.Pop(next); ok {
						take(i)
						give(i)
						to.Push(next, i)
					}
				}
			}
		})
	}
	wg.Wait()
	left := 0
	for k := range s {
		for {
			i, ok := s[k].Pop(next)
			if !ok {
				break
			}
			if !owner[i].CompareAndSwap(0, -1) {
				t.Fatalf("element %d found twice", i)
			}
			left++
		}
	}
	if left != elements {
		t.Fatalf("%d elements left of %d", left, elements)
	}
}

func BenchmarkStack(b *testing.B) {
	for _, workers := range []int{1, 2, 4, 8, 16} {
		b.Run(fmt.Sprintf("goroutines=%d", workers), func(b *testing.B) {
			next := make([]uint32, workers)
			var s Stack
			for i := range uint32(workers) {
				s.Push(next, i)
			}
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for range b.N / workers {
						i, _ := s.Pop(next)
						s.Push(next, i)
					}
				})
			}
			wg.Wait()
		})
	}
}

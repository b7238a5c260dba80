package lockfree

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

func TestBoundedModel(t *testing.T) {
	const size, calls = 5, 10000
	nodes, links := make([]Node, size), make([]uint32, size)
	var b Bounded
	for range 2 { // a second Init begins anew, whatever was left
		b.Init(nodes, links)
		var model []uint64
		r := rand.New(rand.NewPCG(3, 3))
		for i := range uint64(calls) {
			if r.IntN(2) == 0 {
				if ok := b.Push(nodes, links, i); ok != (len(model) < size-1) {
					t.Fatalf("Push = %v with %d of %d elements", ok, len(model), size-1)
				} else if ok {
					model = append(model, i)
				}
			} else if v, ok := b.Pop(nodes, links); ok != (len(model) > 0) || ok && v != model[0] {
				t.Fatalf("Pop = %d, %v, want the first of %v", v, ok, model)
			} else if ok {
				model = model[1:]
			}
			if b.Empty(nodes) != (len(model) == 0) {
				t.Fatalf("Empty = %v of %v", b.Empty(nodes), model)
			}
		}
	}
}

// A queue of one node holds nothing, and says both.
func TestBoundedWithoutRoom(t *testing.T) {
	nodes, links := make([]Node, 1), make([]uint32, 1)
	var b Bounded
	b.Init(nodes, links)
	if b.Push(nodes, links, 1) || !b.Empty(nodes) {
		t.Fatal("an element in a queue without room")
	}
}

// Histories without the pushes that found the queue full, which left nothing, have a sequential
// order. With room for the elements and a call of each worker, no push finds it full.
func TestBoundedLinearizable(t *testing.T) {
	const workers, calls = 4, 8
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	for round := range rounds {
		size := 3 // tight
		if round%2 == 0 {
			size = workers*calls + workers + 1
		}
		nodes, links := make([]Node, size), make([]uint32, size)
		var b Bounded
		b.Init(nodes, links)
		var clock atomic.Int64
		histories := make([][]porcupine.Operation, workers)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
				<-start
				for i := range calls {
					op, out := queueOp{}, ""
					call := clock.Add(1)
					if r.IntN(2) == 0 {
						v := byte(w*calls + i)
						op.push = string([]byte{v})
						if !b.Push(nodes, links, uint64(v)) {
							if size > workers*calls {
								t.Errorf("round %d: full", round)
							}
							continue
						}
					} else if v, ok := b.Pop(nodes, links); ok {
						out = string([]byte{byte(v)})
					}
					histories[w] = append(histories[w], porcupine.Operation{
						ClientId: w, Input: op, Call: call, Output: out, Return: clock.Add(1),
					})
				}
			})
		}
		close(start)
		wg.Wait()
		if history := slices.Concat(histories...); !porcupine.CheckOperations(queueModel, history) {
			t.Fatalf("round %d: not linearizable: %+v", round, history)
		}
	}
}

// However the calls race, no node is lost: afterwards the queue takes what it took before, and no
// more.
func TestBoundedTorture(t *testing.T) {
	const workers, size = 8, 17
	rounds := 30000
	if testing.Short() {
		rounds = 3000
	}
	nodes, links := make([]Node, size), make([]uint32, size)
	var b Bounded
	b.Init(nodes, links)
	var pushed, popped [workers]uint64 // sums
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 4))
			for i := range rounds {
				if v := uint64(w*rounds + i); r.IntN(2) == 0 {
					if b.Push(nodes, links, v) {
						pushed[w] += v
					}
				} else if v, ok := b.Pop(nodes, links); ok {
					popped[w] += v
				}
			}
		})
	}
	wg.Wait()
	sum := uint64(0)
	for w := range workers {
		sum += pushed[w] - popped[w]
	}
	for v, ok := b.Pop(nodes, links); ok; v, ok = b.Pop(nodes, links) {
		sum -= v
	}
	if sum != 0 {
		t.Fatalf("the values pushed and popped differ by %d", int64(sum))
	}
	for i := range size {
		if ok := b.Push(nodes, links, 0); ok != (i < size-1) {
			t.Fatalf("Push = %v with %d elements, room for %d", ok, i, size-1)
		}
	}
}

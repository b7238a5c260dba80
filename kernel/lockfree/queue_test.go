package lockfree

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

// drain pops everything.
func drain(q *Queue, nodes []Node) (values []uint64, own []uint32) {
	for {
		v, n, ok := q.Pop(nodes)
		if !ok {
			return values, own
		}
		values, own = append(values, v), append(own, n)
	}
}

// Two queues that share their nodes, beside two slices; each node is always somewhere, once.
func TestQueueModel(t *testing.T) {
	const size, calls = 12, 20000
	nodes := make([]Node, size)
	var q [2]Queue
	q[0].Init(nodes, 0)
	q[1].Init(nodes, 1)
	var hand []uint32
	for n := uint32(2); n < size; n++ {
		hand = append(hand, n)
	}
	var model [2][]uint64
	r := rand.New(rand.NewPCG(1, 1))
	value := uint64(0)
	for range calls {
		k := r.IntN(2)
		switch batch := min(r.IntN(5), len(hand)); {
		case r.IntN(2) == 0:
			v, n, ok := q[k].Pop(nodes)
			if ok != (len(model[k]) > 0) || ok && v != model[k][0] {
				t.Fatalf("Pop = %d, %v, want the first of %v", v, ok, model[k])
			}
			if ok {
				model[k] = model[k][1:]
				hand = append(hand, n)
			}
		case batch == 1:
			value++
			q[k].Push(nodes, hand[0], value)
			model[k] = append(model[k], value)
			hand = hand[1:]
		default:
			var values []uint64
			for range batch {
				value++
				values = append(values, value)
			}
			q[k].PushAll(nodes, hand[:batch], values)
			model[k] = append(model[k], values...)
			hand = hand[batch:]
		}
		for k := range q {
			if q[k].Empty(nodes) != (len(model[k]) == 0) {
				t.Fatalf("Empty = %v of %v", q[k].Empty(nodes), model[k])
			}
		}
		if len(hand)+len(model[0])+len(model[1])+len(q) != size {
			t.Fatalf("%d nodes in hand, %d and %d elements: not %d nodes", len(hand), len(model[0]), len(model[1]), size)
		}
	}
}

// The end of the incarnations is like any other moment, for the dummy and for what is behind it.
func TestQueueTagWraps(t *testing.T) {
	nodes := make([]Node, 3)
	for i := range nodes {
		nodes[i].next = tagMask
	}
	var q Queue
	q.Init(nodes, 0)
	if q.head.Load() != 0 {
		t.Fatalf("head = %#x, want incarnation 0 of node 0", q.head.Load())
	}
	q.PushAll(nodes, []uint32{1, 2}, []uint64{7, 8})
	if values, _ := drain(&q, nodes); len(values) != 2 || values[0] != 7 || values[1] != 8 {
		t.Fatalf("popped %v, want 7 and 8", values)
	}
}

// A queue whose tail lags behind a whole batch is right, and mended by the next call, whichever.
func TestQueueTailLags(t *testing.T) {
	for _, pop := range []bool{true, false} {
		nodes := make([]Node, 5)
		var q Queue
		q.Init(nodes, 0)
		lagging := q.tail.Load()
		q.PushAll(nodes, []uint32{1, 2, 3}, []uint64{1, 2, 3})
		q.tail.Store(lagging) // the pusher has not come to its second CAS
		want := uint64(1)
		if pop {
			if v, n, ok := q.Pop(nodes); !ok || v != 1 || n != 0 {
				t.Fatalf("Pop = %d, %d, %v, want 1, 0, true", v, n, ok)
			}
			want = 2
		}
		if q.Empty(nodes) {
			t.Fatal("Empty with elements")
		}
		q.Push(nodes, 4, 4)
		if uint32(q.tail.Load()) != 4 {
			t.Fatalf("tail = %#x, want node 4", q.tail.Load())
		}
		values, _ := drain(&q, nodes)
		for i, v := range values {
			if v != want+uint64(i) || len(values) != int(5-want) {
				t.Fatalf("popped %v, want %d to 4", values, want)
			}
		}
	}
}

// Each value is popped once, those of a pusher in its order, and no node is lost or in two hands.
// The nodes wander between the queues and the hands of the workers.
func TestQueueTorture(t *testing.T) {
	const workers, hand = 8, 6
	const size = workers*hand + 2
	rounds := 30000
	if testing.Short() {
		rounds = 3000
	}
	nodes := make([]Node, size)
	owner := make([]atomic.Int32, size)
	var q [2]Queue
	q[0].Init(nodes, size-2)
	q[1].Init(nodes, size-1)
	var pushed [2][workers]uint64   // by worker; its own element is its own
	var popped [workers][2][]uint64 // by popper
	var left [workers][]uint32      // nodes in hand at the end
	take := func(w int, n uint32) {
		if !owner[n].CompareAndSwap(0, int32(w+1)) {
			t.Errorf("node %d is in two hands", n)
		}
	}
	give := func(w int, n uint32) {
		if !owner[n].CompareAndSwap(int32(w+1), 0) {
			t.Errorf("node %d was not in hand %d", n, w)
		}
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 2))
			var own []uint32
			for n := range uint32(hand) {
				own = append(own, uint32(w)*hand+n)
				take(w, own[n])
			}
			for range rounds {
				k := r.IntN(2)
				if batch := min(r.IntN(8)-3, len(own)); batch > 0 {
					var values [4]uint64
					for i, n := range own[:batch] {
						pushed[k][w]++
						values[i] = uint64(w)<<32 | pushed[k][w]
						give(w, n)
					}
					if batch == 1 {
						q[k].Push(nodes, own[0], values[0])
					} else {
						q[k].PushAll(nodes, own[:batch], values[:batch])
					}
					own = append(own[:0], own[batch:]...)
				} else if v, n, ok := q[k].Pop(nodes); ok {
					take(w, n)
					own = append(own, n)
					popped[w][k] = append(popped[w][k], v)
				}
			}
			left[w] = own
		})
	}
	wg.Wait()
	total := 2 // nodes: the dummies
	for w := range workers {
		total += len(left[w])
	}
	for k := range q {
		values, own := drain(&q[k], nodes)
		for _, n := range own {
			take(workers, n)
		}
		total += len(own)
		var seen [workers][]bool
		for w := range workers {
			seen[w] = make([]bool, pushed[k][w]+1)
		}
		lists := [][]uint64{values}
		for w := range workers {
			lists = append(lists, popped[w][k])
		}
		for _, list := range lists {
			var last [workers]uint64
			for _, v := range list {
				w, i := v>>32, v&0xffffffff
				if w >= workers || i == 0 || i >= uint64(len(seen[w])) {
					t.Fatalf("queue %d: popped %#x, which nobody pushed", k, v)
				}
				if seen[w][i] {
					t.Fatalf("queue %d: popped %#x twice", k, v)
				}
				if i <= last[w] {
					t.Fatalf("queue %d: popped %#x after %d of the same pusher", k, v, last[w])
				}
				seen[w][i], last[w] = true, i
			}
		}
		for w := range workers {
			for i := 1; i < len(seen[w]); i++ {
				if !seen[w][i] {
					t.Fatalf("queue %d: value %d of worker %d was lost", k, i, w)
				}
			}
		}
	}
	if total != size {
		t.Fatalf("%d nodes at the end, want %d", total, size)
	}
}

func TestQueueAllocatesNothing(t *testing.T) {
	nodes, links := make([]Node, 8), make([]uint32, 8)
	var q Queue
	q.Init(nodes, 0)
	own, values := []uint32{1, 2}, []uint64{3, 4}
	if n := testing.AllocsPerRun(100, func() {
		q.PushAll(nodes, own, values)
		for i := range own {
			_, own[i], _ = q.Pop(nodes)
		}
		q.Push(nodes, own[0], 5)
		_, own[0], _ = q.Pop(nodes)
	}); n != 0 {
		t.Errorf("Queue: %v allocations", n)
	}
	var b Bounded
	b.Init(nodes, links)
	if n := testing.AllocsPerRun(100, func() {
		b.Push(nodes, links, 1)
		b.Pop(nodes, links)
	}); n != 0 {
		t.Errorf("Bounded: %v allocations", n)
	}
}

// Words that different CPUs write are a line apart, wherever the struct begins.
func TestQueueLinesApart(t *testing.T) {
	var b Bounded
	words := []uintptr{unsafe.Offsetof(b.queue.head), unsafe.Offsetof(b.queue.tail), unsafe.Offsetof(b.free), unsafe.Sizeof(b)}
	for i := 1; i < len(words); i++ {
		if words[i]-words[i-1] < CacheLine {
			t.Errorf("words at %v: want them %d bytes apart", words, CacheLine)
		}
	}
}

package lockfree

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// ring is a peer of Bounded for the benchmark: D. Vyukov's bounded MPMC queue. Its turn words keep
// it from being lock-free: who stops between its CAS and its store hides what was pushed behind.
type ring struct {
	push atomic.Uint64
	_    [CacheLine - 8]byte
	pop  atomic.Uint64
	_    [CacheLine - 8]byte
	cell []ringCell
}

type ringCell struct {
	turn  atomic.Uint64
	value uint64
}

func newRing(size int) *ring {
	r := &ring{cell: make([]ringCell, size)}
	for i := range r.cell {
		r.cell[i].turn.Store(uint64(i))
	}
	return r
}

func (r *ring) Push(v uint64) bool {
	for {
		at := r.push.Load()
		c := &r.cell[at&uint64(len(r.cell)-1)]
		switch turn := c.turn.Load(); {
		case turn == at && r.push.CompareAndSwap(at, at+1):
			c.value = v
			c.turn.Store(at + 1)
			return true
		case turn < at:
			return false
		}
	}
}

func (r *ring) Pop() (uint64, bool) {
	for {
		at := r.pop.Load()
		c := &r.cell[at&uint64(len(r.cell)-1)]
		switch turn := c.turn.Load(); {
		case turn == at+1 && r.pop.CompareAndSwap(at, at+1):
			v := c.value
			c.turn.Store(at + uint64(len(r.cell)))
			return v, true
		case turn <= at:
			return 0, false
		}
	}
}

// locked is a ring under a mutex.
type locked struct {
	mu        sync.Mutex
	push, pop uint64
	cell      []uint64
}

func (l *locked) Push(v uint64) bool {
	l.mu.Lock()
	ok := l.push-l.pop < uint64(len(l.cell))
	if ok {
		l.cell[l.push&uint64(len(l.cell)-1)] = v
		l.push++
	}
	l.mu.Unlock()
	return ok
}

func (l *locked) Pop() (v uint64, ok bool) {
	l.mu.Lock()
	if ok = l.push != l.pop; ok {
		v = l.cell[l.pop&uint64(len(l.cell)-1)]
		l.pop++
	}
	l.mu.Unlock()
	return v, ok
}

const benchCapacity = 256

// peers are what a bounded queue of values could be.
var peers = []struct {
	name string
	make func() (push func(uint64) bool, pop func() (uint64, bool))
}{
	{"Bounded", func() (func(uint64) bool, func() (uint64, bool)) {
		nodes, links := make([]Node, benchCapacity+1), make([]uint32, benchCapacity+1)
		b := new(Bounded)
		b.Init(nodes, links)
		return func(v uint64) bool { return b.Push(nodes, links, v) },
			func() (uint64, bool) { return b.Pop(nodes, links) }
	}},
	{"Vyukov", func() (func(uint64) bool, func() (uint64, bool)) {
		r := newRing(benchCapacity)
		return r.Push, r.Pop
	}},
	{"channel", func() (func(uint64) bool, func() (uint64, bool)) {
		c := make(chan uint64, benchCapacity)
		return func(v uint64) bool {
				select {
				case c <- v:
					return true
				default:
					return false
				}
			}, func() (uint64, bool) {
				select {
				case v := <-c:
					return v, true
				default:
					return 0, false
				}
			}
	}},
	{"mutex", func() (func(uint64) bool, func() (uint64, bool)) {
		l := &locked{cell: make([]uint64, benchCapacity)}
		return l.Push, l.Pop
	}},
}

// One operation is a push and a pop of the same goroutine.
func BenchmarkPushPop(b *testing.B) {
	for _, p := range peers {
		for _, workers := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("%s/goroutines=%d", p.name, workers), func(b *testing.B) {
				push, pop := p.make()
				var wg sync.WaitGroup
				for range workers {
					wg.Go(func() {
						for range b.N / workers {
							for !push(1) {
								runtime.Gosched()
							}
							for _, ok := pop(); !ok; _, ok = pop() {
								runtime.Gosched()
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

// One operation is a value from goroutines that push to as many that pop.
func BenchmarkHandOver(b *testing.B) {
	for _, p := range peers {
		for _, pairs := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%dx%d", p.name, pairs, pairs), func(b *testing.B) {
				push, pop := p.make()
				var wg sync.WaitGroup
				for range pairs {
					n := b.N / pairs
					wg.Go(func() {
						for range n {
							for !push(1) {
								runtime.Gosched()
							}
						}
					})
					wg.Go(func() {
						for range n {
							for _, ok := pop(); !ok; _, ok = pop() {
								runtime.Gosched()
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

// The queue without a pool, as run queues use it: the popped node is the next push's.
func BenchmarkQueue(b *testing.B) {
	for _, workers := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("goroutines=%d", workers), func(b *testing.B) {
			nodes := make([]Node, workers+1)
			var q Queue
			q.Init(nodes, uint32(workers))
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					n := uint32(w)
					for range b.N / workers {
						q.Push(nodes, n, 1)
						_, n, _ = q.Pop(nodes)
					}
				})
			}
			wg.Wait()
		})
	}
}

// One operation is one value; 16 are pushed in one step and popped one by one.
func BenchmarkQueueBatch(b *testing.B) {
	const batch = 16
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("goroutines=%d", workers), func(b *testing.B) {
			nodes := make([]Node, workers*batch+1)
			var q Queue
			q.Init(nodes, uint32(workers*batch))
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					var own [batch]uint32
					var values [batch]uint64
					for i := range own {
						own[i] = uint32(w*batch + i)
					}
					for range b.N / workers / batch {
						q.PushAll(nodes, own[:], values[:])
						for i := range own {
							_, own[i], _ = q.Pop(nodes)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

package queue

import "sync"

// mutexRing is a ring under a Mutex.
type mutexRing struct {
	mu         sync.Mutex
	head, tail uint64
	ring       [Capacity]uint64
}

func (q *mutexRing) put(v uint64) bool {
	q.mu.Lock()
	ok := q.tail-q.head < Capacity
	if ok {
		q.ring[q.tail%Capacity] = v
		q.tail++
	}
	q.mu.Unlock()
	return ok
}

func (q *mutexRing) take() (v uint64, ok bool) {
	q.mu.Lock()
	if ok = q.tail != q.head; ok {
		v = q.ring[q.head%Capacity]
		q.head++
	}
	q.mu.Unlock()
	return v, ok
}

func (q *mutexRing) Pairs(n int) (sum int) {
	for i := range n {
		q.put(uint64(i))
		v, _ := q.take()
		sum += int(v)
	}
	return sum
}

func (q *mutexRing) Produce(n int) {
	for i := range n {
		for p := patience(0); !q.put(uint64(i)); {
			p.lose()
		}
	}
}

func (q *mutexRing) Consume(n int) (sum int) {
	for range n {
		v, ok := q.take()
		for p := patience(0); !ok; v, ok = q.take() {
			p.lose()
		}
		sum += int(v)
	}
	return sum
}

package deque

import "sync"

// mutexSlice is a slice under a mutex.
type mutexSlice struct {
	mu     sync.Mutex
	values []uint64
}

func (q *mutexSlice) push(v uint64) {
	q.mu.Lock()
	q.values = append(q.values, v)
	q.mu.Unlock()
}

func (q *mutexSlice) pop() (v uint64, ok bool) {
	q.mu.Lock()
	if end := len(q.values) - 1; end >= 0 {
		v, ok = q.values[end], true
		q.values = q.values[:end]
	}
	q.mu.Unlock()
	return v, ok
}

func (q *mutexSlice) steal() (v uint64, ok bool) {
	q.mu.Lock()
	if len(q.values) > 0 {
		v, ok = q.values[0], true
		q.values = q.values[1:]
	}
	q.mu.Unlock()
	return v, ok
}

func (q *mutexSlice) Own(n, burst int) (sum int) {
	for i := 0; i < n; {
		for end := min(i+burst, n); i < end; i++ {
			q.push(uint64(i))
		}
		for v, ok := q.pop(); ok; v, ok = q.pop() {
			sum += int(v)
		}
	}
	return sum
}

func (q *mutexSlice) Rob(r *Round, backOff bool) (sum int) {
	for w := wait(0); !r.over(); {
		if v, ok := q.steal(); ok {
			sum += int(v)
			w = 0
		} else if backOff {
			w.lose()
		}
	}
	return sum
}

package deque

import "pdac/kernel/lockfree"

type own struct{ d lockfree.Deque }

func (q *own) Own(n, burst int) (sum int) {
	for i := 0; i < n; {
		for end := min(i+burst, n); i < end; i++ {
			q.d.Push(uint64(i))
		}
		for v, ok := q.d.Pop(); ok; v, ok = q.d.Pop() {
			sum += int(v)
		}
	}
	return sum
}

func (q *own) Rob(r *Round, backOff bool) (sum int) {
	for w := wait(0); !r.over(); {
		if v, ok := q.d.Steal(); ok {
			sum += int(v)
			w = 0
		} else if backOff {
			w.lose()
		}
	}
	return sum
}

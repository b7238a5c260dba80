package queue

import "pdac/kernel/lockfree"

// Own returns kernel/lockfree's.
func Own() []Kind {
	return []Kind{{Ours, newBounded}, {OursUnbounded, newUnbounded}}
}

// bounded is Michael and Scott's queue with its free nodes on a Treiber stack.
type bounded struct {
	q     lockfree.Bounded
	nodes [Capacity + 1]lockfree.Node
	links [Capacity + 1]uint32
}

func newBounded() Paired {
	q := new(bounded)
	q.q.Init(q.nodes[:], q.links[:])
	return q
}

func (q *bounded) Pairs(n int) (sum int) {
	for i := range n {
		q.q.Push(q.nodes[:], q.links[:], uint64(i))
		v, _ := q.q.Pop(q.nodes[:], q.links[:])
		sum += int(v)
	}
	return sum
}

func (q *bounded) Produce(n int) {
	for i := range n {
		for p := patience(0); !q.q.Push(q.nodes[:], q.links[:], uint64(i)); {
			p.lose()
		}
	}
}

func (q *bounded) Consume(n int) (sum int) {
	for range n {
		v, ok := q.q.Pop(q.nodes[:], q.links[:])
		for p := patience(0); !ok; v, ok = q.q.Pop(q.nodes[:], q.links[:]) {
			p.lose()
		}
		sum += int(v)
	}
	return sum
}

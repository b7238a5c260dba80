package queue

import "pdac/kernel/lockfree"

// unbounded is Michael and Scott's queue alone, used as run queues use it: each thing that isn't in it has a node in
// hand, and who pops a thing gives it the node that came back. So no node is looked for, and none goes from
// a consumer to a producer but with a thing: it is measured on one thread.
type unbounded struct {
	q     lockfree.Queue
	nodes [Batch + 1]lockfree.Node
	own   [Batch]uint32
}

func newUnbounded() Paired {
	q := new(unbounded)
	q.q.Init(q.nodes[:], Batch)
	for i := range q.own {
		q.own[i] = uint32(i)
	}
	return q
}

func (q *unbounded) Pairs(n int) (sum int) {
	own := q.own[0]
	for i := range n {
		q.q.Push(q.nodes[:], own, uint64(i))
		v, node, _ := q.q.Pop(q.nodes[:])
		own = node
		sum += int(v)
	}
	q.own[0] = own
	return sum
}

func (q *unbounded) Batches(n int) (sum int) {
	var values [Batch]uint64
	for i := 0; i < n; i += Batch {
		for k := range values {
			values[k] = uint64(i + k)
		}
		q.q.PushAll(q.nodes[:], q.own[:], values[:])
		for k := range q.own {
			v, node, _ := q.q.Pop(q.nodes[:])
			q.own[k] = node
			sum += int(v)
		}
	}
	return sum
}

package lockfree

// Bounded is a Queue with nodes of its own: a FIFO of at most len(nodes)-1 values, in two slices of
// the caller's of one length, the same ones at every call. Init makes it ready.
//
// Invariant: a node is in the queue, on the free stack, or in the hands of a call in progress.
//
// Linearization: as Queue's. "Full" is at the load of the free stack's head and counts the calls in
// progress: each may have a node in hand, a Pop even that of an element that it has taken already.
// With elements and concurrent calls together at most len(nodes)-1, Push never fails.
//
// Reclamation, wrap and progress: as Stack's and Queue's. No call pairs need be kept apart, but for
// Init, which has the queue for itself.
type Bounded struct {
	queue Queue
	free  Stack
	_     [CacheLine - 8]byte // keeps what follows off the line that every call writes
}

// Init makes the queue empty.
//
// Preconditions: the caller owns all of both slices, of which nodes is not empty, and nobody else
// uses the queue.
func (b *Bounded) Init(nodes []Node, links []uint32) {
	b.queue.Init(nodes, 0)
	b.free.PopAll()
	for n := len(nodes) - 1; n > 0; n-- {
		b.free.Push(links, uint32(n))
	}
}

// Push puts v at the end. False: the queue was full.
func (b *Bounded) Push(nodes []Node, links []uint32, v uint64) bool {
	n, ok := b.free.Pop(links)
	if ok {
		b.queue.Push(nodes, n, v)
	}
	return ok
}

// Pop takes the first value. False: the queue was empty.
func (b *Bounded) Pop(nodes []Node, links []uint32) (uint64, bool) {
	v, n, ok := b.queue.Pop(nodes)
	if ok {
		b.free.Push(links, n)
	}
	return v, ok
}

// Empty reports whether the queue had no element at a time during the call.
func (b *Bounded) Empty(nodes []Node) bool {
	return b.queue.Empty(nodes)
}

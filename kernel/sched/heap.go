package sched

// A pairing heap over node numbers (M. Fredman, R. Sedgewick, D. Sleator, R. Tarjan, "The Pairing Heap: A New Form of
// Self-Adjusting Heap", Algorithmica 1, 1986), smallest deadline at the root, equal deadlines in no order. Insertion is a
// comparison; removal is logarithmic, amortized. It is intrusive, so that arming needs no memory.
//
// A node's children are the list from child by next. prev is the previous sibling, for the first child the parent, for the
// root 0. Everything here needs the queue's lock, or is the CPU's own.
//
// Rejected: a binary heap, as it needs an array per CPU for all timers of the machine; a timing wheel, as Go's own timers
// come as one exact deadline per sleeping M, and a wheel would round or cascade it.

// meld joins two heaps; 0 is the empty one.
func meld(a, b uint32) uint32 {
	if a == 0 {
		return b
	}
	if b == 0 {
		return a
	}
	na, nb := node(a), node(b)
	if nb.deadline < na.deadline {
		a, b, na, nb = b, a, nb, na
	}
	first := na.child
	nb.prev, nb.next = a, first
	if first != 0 {
		node(first).prev = b
	}
	na.child = b
	return a
}

// heapInsert adds node n to the heap and returns the new root.
func heapInsert(root, n uint32, nd *TimerNode) uint32 {
	nd.child, nd.next, nd.prev = 0, 0, 0
	return meld(root, n)
}

// heapRemove takes node n out of the heap and returns the new root.
func heapRemove(root, n uint32, nd *TimerNode) uint32 {
	sub := mergePairs(nd.child)
	if n == root {
		return sub
	}
	if prev := node(nd.prev); prev.child == n {
		prev.child = nd.next
	} else {
		prev.next = nd.next
	}
	if nd.next != 0 {
		node(nd.next).prev = nd.prev
	}
	return meld(root, sub)
}

// mergePairs makes one heap of a list of siblings: pairs from the left, then all of these from the right.
func mergePairs(n uint32) uint32 {
	var pairs uint32 // the pairs made so far, last one first, linked by next
	for n != 0 {
		a := n
		b := node(a).next
		n = 0
		if b != 0 {
			n = node(b).next
			node(b).next, node(b).prev = 0, 0
		}
		node(a).next, node(a).prev = 0, 0
		a = meld(a, b)
		node(a).next = pairs
		pairs = a
	}
	var root uint32
	for pairs != 0 {
		a := pairs
		pairs = node(a).next
		node(a).next = 0
		root = meld(root, a)
	}
	return root
}

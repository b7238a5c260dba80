package lockfree

import (
	"sync/atomic"
	"unsafe"
)

// Michael and Scott's queue over nodes named by index, with incarnations against ABA.
//
// Paper: M. M. Michael and M. L. Scott, "Simple, Fast, and Practical Non-Blocking and Blocking
// Concurrent Queue Algorithms", PODC 1996, figure 1. It differs in what the tags count. There each
// pointer has a counter of its own, and each step looks again whether head or tail is still what it
// was. Here the tag is the node's incarnation, how often the node was pushed (mod 2^32): a name
// {incarnation, node} means one stay of one node in one queue, so that the tag in the node's own
// word answers the second look, and nodes may wander between queues.
//
// Words and writers:
//
//	head, tail     incarnation<<32 | node; CAS only, by anyone. The node of head is the dummy: its
//	               value was popped before, the elements are those behind it.
//	nodes[n].next  incarnation of n<<32 | (node behind n)+1, low half 0 at the end. Written by the
//	               owner of n before it pushes, which begins an incarnation; then, while n is the
//	               last one, once more: by CAS, by who pushes behind n; then not until n has left
//	               and is pushed again.
//	nodes[n].value by the owner of n before it pushes
//
// The owner of a node is nobody from Push on, and then who pops the element BEHIND it: Pop returns
// the old dummy.
//
// Invariants:
//
//	(1) A next word whose low half is 0, under the incarnation by which head or tail named it, is
//	    the last node's, and the node has not left: the end is only ever made by starting an
//	    incarnation, and head passes none whose next is 0.
//	(2) From head, next leads to tail, and from tail to the end. Both only move along it. Tail
//	    moves from the node that it names to the one behind, or the pusher of the batch behind that
//	    node moves it to the batch's last. Head does not pass tail: Pop found tail elsewhere than
//	    at h, or moved it, after it had loaded h; if then its CAS finds h, tail was and is behind h.
//	(3) A name that is in head or tail does not come there again, so a CAS that succeeds proves that
//	    the word was the same in between; all that was read of the nodes behind it (value and
//	    incarnation) was of nodes that had not left.
//
// Linearization: Push and PushAll at the successful CAS of the last node's next (PushAll: all at
// once, in order); Pop at its successful CAS of head; Pop and Empty of an empty queue at their load
// of the dummy's next, when it has the incarnation that head named: by (1) the queue then was empty
// and that node its dummy, wherever head is now.
//
// Why Pop reads the value before its CAS: afterwards the node behind is the dummy, which the next
// Pop may hand to an owner, who writes another value.
//
// Why tail is moved before head, and not after by its pusher: the old dummy is its new owner's at
// once, and tail must name no node that is pushed elsewhere.
//
// Reclamation: none needed. Nodes are type-stable: an overtaken call reads words of a node in other
// hands, atomically and harmlessly, because the incarnation or the CAS then fails.
//
// Wrap: a call is fooled if, between its load of a name and its CAS, one and the same node is
// pushed a multiple of 2^32 times, and is where it was at exactly that moment. Each takes a Push and
// a Pop, three CAS: minutes in which nothing else happens to the node, against some twenty
// instructions. Below the runtime interrupts are off in them, so that only a hypervisor can stop
// them for so long; above, a goroutine would have to be descheduled just there.
//
// Progress: lock-free, all operations. Whoever fails did so because another succeeded or because
// tail lagged, and then moves it; behind a batch that may take a step for each of its elements. With
// nobody in the way Push and Pop are a fixed number of steps. No call pairs need be kept apart, but
// for Init, which has the queue for itself.
//
// Rejected: positions in the queue as tags, which would count the elements too, but let a node be
// mistaken that was pushed at the same position of another queue; Doherty's Pop, which looks at tail
// after its CAS (FORTE 2004), and is wrong with batches, in which a node has one behind it before
// tail came to it.

// Queue is a FIFO of 64-bit values, in nodes of a slice of the caller's, the same one at every call.
// Queues may share the slice, since a node is in one queue at a time. A queue holds one node more
// than it has elements. Init makes it ready.
//
// Push takes a node of the caller's, and Pop gives one back, but another one: the node that brought
// the element stays behind as the dummy. Who can say how many elements there will be keeps them in a
// Bounded. Who cannot, but queues things that are in one queue at a time (tasks in run queues), lets
// each thing that is in no queue have one node in hand, thing i first node i, and each queue one
// more: Push takes the thing's node, and the node that Pop returns becomes that of the popped thing,
// before it can be pushed again. So there is always a node, whatever the queue, and Push never
// fails.
type Queue struct {
	head atomic.Uint64
	_    [CacheLine - 8]byte // keeps those who pop off the line of those who push
	tail atomic.Uint64
	_    [CacheLine - 8]byte // keeps what follows off it
}

// Node is one node's memory; its zero value is ready. Index it below 2^32-1.
type Node struct {
	next, value uint64
}

// Init makes the queue empty, with node dummy, which is the queue's from here on.
//
// Preconditions: the caller owns dummy, and nobody else uses the queue.
func (q *Queue) Init(nodes []Node, dummy uint32) {
	first := begin(nodes, dummy, 0)
	q.head.Store(first)
	q.tail.Store(first)
}

// at returns node n, unchecked: a bounds check for each look would be a fifth of a Pop, and no number comes from elsewhere than from
// Init, Push and the words that these write.
func at(nodes []Node, n uint32) *Node {
	return (*Node)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(nodes)), uintptr(n)*unsafe.Sizeof(Node{})))
}

// begin begins an incarnation of node n, whose next word gets the low half behind, and returns its
// name.
func begin(nodes []Node, n, behind uint32) uint64 {
	next := &at(nodes, n).next
	tag := atomic.LoadUint64(next)&tagMask + tagOne
	store64(next, tag|uint64(behind)) // pairs with the loads in Pop, Empty and name
	return tag | uint64(n)
}

// name returns the name by which node n is in its queue now.
func name(nodes []Node, n uint32) uint64 {
	return atomic.LoadUint64(&at(nodes, n).next)&tagMask | uint64(n)
}

// Push puts value v at the end, in node n, which is the queue's from here on.
//
// Preconditions: the caller owns n.
//
//go:nosplit
func (q *Queue) Push(nodes []Node, n uint32, v uint64) {
	store64(&at(nodes, n).value, v) // pairs with the load in Pop
	last := begin(nodes, n, 0)
	t := q.tail.Load() // link's first try, without the call
	end := t & tagMask
	if atomic.CompareAndSwapUint64(&at(nodes, uint32(t)).next, end, end|uint64(n+1)) {
		q.tail.CompareAndSwap(t, last)
		return
	}
	q.link(nodes, n, last)
}

// PushAll puts the values at the end in one step, in their order and with none between them,
// values[i] in node own[i]. Both have the same length; nothing is pushed if that is 0.
//
// Preconditions: the caller owns the nodes.
func (q *Queue) PushAll(nodes []Node, own []uint32, values []uint64) {
	end := len(own) - 1
	if end < 0 {
		return
	}
	store64(&nodes[own[end]].value, values[end])
	last := begin(nodes, own[end], 0)
	for i := end - 1; i >= 0; i-- {
		store64(&nodes[own[i]].value, values[i])
		begin(nodes, own[i], own[i+1]+1)
	}
	q.link(nodes, own[0], last)
}

// link puts the list from node first to the one named last behind the last node.
//
//go:nosplit
func (q *Queue) link(nodes []Node, first uint32, last uint64) {
	for {
		t := q.tail.Load()
		end := t & tagMask
		next := &at(nodes, uint32(t)).next
		if atomic.CompareAndSwapUint64(next, end, end|uint64(first+1)) {
			q.tail.CompareAndSwap(t, last) // if it fails, others moved tail, one by one
			return
		}
		if behind := atomic.LoadUint64(next); behind&tagMask == end { // else t has left: tail is elsewhere
			q.tail.CompareAndSwap(t, name(nodes, uint32(behind)-1))
		}
	}
}

// Pop takes the first value. Node n is the caller's then; it is another one than the value was
// pushed in. False: the queue was empty.
//
//go:nosplit
func (q *Queue) Pop(nodes []Node) (v uint64, n uint32, ok bool) {
	for {
		h := q.head.Load()
		next := atomic.LoadUint64(&at(nodes, uint32(h)).next)
		if (next^h)>>32 != 0 {
			continue // h has left: head is elsewhere
		}
		if uint32(next) == 0 {
			return 0, 0, false
		}
		first := name(nodes, uint32(next)-1)
		if q.tail.Load() == h {
			q.tail.CompareAndSwap(h, first) // if it fails, somebody else moved it
		}
		v = atomic.LoadUint64(&at(nodes, uint32(first)).value)
		if q.head.CompareAndSwap(h, first) {
			return v, uint32(h), true
		}
	}
}

// Empty reports whether the queue had no element at a time during the call.
func (q *Queue) Empty(nodes []Node) bool {
	for {
		h := q.head.Load()
		next := atomic.LoadUint64(&nodes[uint32(h)].next)
		if next&tagMask == h&tagMask {
			return uint32(next) == 0
		}
	}
}

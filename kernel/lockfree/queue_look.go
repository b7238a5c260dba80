package lockfree

import "sync/atomic"

// Looking at a Queue before taking from it, for those who want its first value only if it suits them, or one from its middle that
// they can make worthless where it lies (a name whose meaning is elsewhere).
//
// First's answer may be out of date, and worse: where an overtaken call read the words of a node that had left, the value may be
// that of another queue, old or not yet linked. It is never torn, and never one that nobody pushed. PopFirst makes it certain: by
// the queue's invariant (3) its CAS succeeds only if nothing was popped since, and then the value that First read is the one taken.
// After is First for further nodes, and nothing makes its answer certain.
//
// Progress: First and PopFirst are lock-free, After is wait-free. No call pairs need be kept apart.

// First returns the first value and the place where it was seen, for PopFirst; uint32(place) is for After. False: the queue was
// empty.
//
//go:nosplit
func (q *Queue) First(nodes []Node) (v, place uint64, ok bool) {
	for {
		h := q.head.Load()
		next := atomic.LoadUint64(&nodes[uint32(h)].next)
		if next&tagMask != h&tagMask {
			continue // h has left: head is elsewhere
		}
		if uint32(next) == 0 {
			return 0, 0, false
		}
		return atomic.LoadUint64(&nodes[uint32(next)-1].value), h, true
	}
}

// PopFirst takes the value that First saw, if nothing was taken since; node n is the caller's then, as Pop's.
//
// Linearization: at its successful CAS of head; a failure at its load or CAS that finds another name there than place.
func (q *Queue) PopFirst(nodes []Node, place uint64) (n uint32, ok bool) {
	next := atomic.LoadUint64(&nodes[uint32(place)].next)
	if next&tagMask != place&tagMask {
		return 0, false
	}
	first := name(nodes, uint32(next)-1) // one is behind: First saw it
	if q.tail.Load() == place {
		q.tail.CompareAndSwap(place, first) // as in Pop
	}
	return uint32(place), q.head.CompareAndSwap(place, first)
}

// After returns the value of the node behind node n, and that node. False: n was the last.
func After(nodes []Node, n uint32) (v uint64, behind uint32, ok bool) {
	next := uint32(atomic.LoadUint64(&nodes[n].next))
	if next == 0 {
		return 0, 0, false
	}
	return atomic.LoadUint64(&nodes[next-1].value), next - 1, true
}

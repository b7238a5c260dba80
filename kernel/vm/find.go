package vm

import (
	"sync/atomic"

	"pdac/kernel/numa"
)

// Look-ups in a tree of areas that is not being changed: those of a fault
// section or of the holder of areasLock, and Walk, which is in neither.

// find returns the area of tree i that contains va, or nil.
func find(i uint32, va uint64) *Node {
	for i != 0 {
		n := node(i)
		switch {
		case va < n.start:
			i = n.left
		case va >= n.end:
			i = n.right
		default:
			return n
		}
	}
	return nil
}

// coverage is what areas there are in a range.
type coverage struct {
	areas int
	bytes uint64 // of the range that areas contain
	all   uint32 // attributes that all have
	any   uint32 // attributes that some have
}

// cover adds to c what tree i has in [lo, hi).
func cover(i uint32, lo, hi uint64, c *coverage) {
	if i == 0 || node(i).hi <= lo || node(i).lo >= hi {
		return
	}
	n := node(i)
	cover(n.left, lo, hi, c)
	if from, to := max(n.start, lo), min(n.end, hi); from < to {
		c.areas++
		c.bytes += to - from
		c.all &= n.meta & attrMask
		c.any |= n.meta & attrMask
	}
	cover(n.right, lo, hi, c)
}

// findGap returns the highest place for n bytes that ends at or below top, in
// logarithmic time through Node.gap: only along the path to top can a hole be
// large enough and yet not serve.
func findGap(i uint32, n, top uint64) (uint64, bool) {
	return gapIn(i, UserMin, UserEnd, n, top)
}

// gapIn does that in [from, to), where all of tree i lies.
func gapIn(i uint32, from, to, n, top uint64) (uint64, bool) {
	if to-from < n || from > top || top-from < n {
		return 0, false
	}
	if i == 0 {
		return min(to, top) - n, true
	}
	m := node(i)
	if max(m.lo-from, m.gap, to-m.hi) < n {
		return 0, false
	}
	if at, ok := gapIn(m.right, m.end, to, n, top); ok {
		return at, true
	}
	return gapIn(m.left, from, m.start, n, top)
}

// Area is a range of the program's memory with the same attributes throughout.
type Area struct {
	Start, End uint64 // addresses
	Prot       uint32 // ProtRead | ...
	Huge       bool   // MADV_HUGEPAGE
	NoHuge     bool   // MADV_NOHUGEPAGE
	Policy     numa.Policy
}

// maxHeight bounds the height of an AVL tree of 2^32 nodes: 1.44 * 32, and some.
const maxHeight = 48

// Walk returns the first area that ends above from; false when there is none.
// Walk(0), then Walk(a.End), lists them all; areas may change in between.
//
// Callable above the runtime: its caller may lose the CPU, and so must not hold
// up writers in a section. It reads nodes that may be reused meanwhile, and
// starts again when the root has changed: nodes are reused only after that.
// Lock-free: it only repeats when a writer has gone on.
func Walk(from uint64) (Area, bool) {
	for {
		root := tree.root.Load()
		a, ok := walk(uint32(root), from)
		if tree.root.Load() == root {
			return a, ok
		}
	}
}

// walk may read a tree in pieces, and then returns anything.
func walk(i uint32, from uint64) (a Area, ok bool) {
	for range maxHeight {
		if i == 0 {
			break
		}
		n := node(i)
		if end := atomic.LoadUint64(&n.end); end <= from {
			i = atomic.LoadUint32(&n.right)
			continue
		}
		meta := atomic.LoadUint32(&n.meta)
		a = Area{
			Start:  atomic.LoadUint64(&n.start),
			End:    atomic.LoadUint64(&n.end),
			Prot:   meta & protAll,
			Huge:   meta&areaHuge != 0,
			NoHuge: meta&areaNoHuge != 0,
			Policy: policyOf(meta, atomic.LoadUint64(&n.nodes)),
		}
		ok = true
		i = atomic.LoadUint32(&n.left)
	}
	return a, ok
}

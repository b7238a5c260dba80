package vm

import (
	"sync/atomic"

	"pdac/kernel/numa"
)

// The areas: a persistent AVL tree, ordered by address.
//
// The operations are built from join, after Blelloch, Ferizovic and Sun, "Just
// join for parallel ordered sets" (SPAA 2016). A node that a published tree
// contains never changes: a change makes new nodes for the path to the root
// (Driscoll, Sarnak, Sleator and Tarjan, "Making data structures persistent",
// 1989), and one store of the root makes it visible whole. So a fault reads a
// consistent tree without a lock, and an operation that runs out of memory has
// changed nothing.
//
// Invariant: the heights of a node's subtrees differ by one at most; lo, hi and
// gap describe its subtree; neighbours that touch differ in attributes.
//
// Who writes each word: the holder of areasLock, all of them. Its stores are
// atomic only for Walk, which may read a node that is being reused and finds
// that out afterwards; all other readers load plainly, being ordered by the
// root or by the lock.
//
// Linearization points: a change at the store of root, a look-up at its load.
//
// Reclamation: nodes are type-stable. take puts a node on the retired list;
// commit moves that to the free list after waitSections, when no CPU can be
// reading the tree that they were in.
//
// Progress: look-ups are wait-free, writers block each other.
//
// Rejected: a treap (as simple, but its depth, and so the number of nodes to
// have at hand before a change, is only probably small); a radix tree over
// pages (a reservation of terabytes would touch many nodes); a skip list (no
// atomic change of a range).

// Node is a node of the tree of areas, and its storage is the machine's:
// Config.Nodes.
type Node struct {
	start, end  uint64
	lo, hi      uint64 // extent of the subtree
	gap         uint64 // largest hole between two areas of the subtree
	nodes       uint64 // of the policy
	left, right uint32 // 0 is no node
	meta        uint32 // protection | flags<<8 | mode of the policy<<11 | height<<16
	link        uint32 // next in the free or retired list
}

// area is a range of addresses [start, end) with the same attributes throughout.
type area struct {
	start, end uint64
	nodes      uint64
	attr       uint32 // meta without the height
}

// Flags of an area.
const (
	areaHuge   = 1 << 8  // MADV_HUGEPAGE
	areaNoHuge = 1 << 9  // MADV_NOHUGEPAGE
	areaBusy   = 1 << 10 // what MAP_FIXED replaces is still being removed: faults wait

	modeShift = 11
	areaMode  = (1<<numa.ModeBits - 1) << modeShift

	attrMask    = 1<<16 - 1
	heightShift = 16
)

const _ uint = heightShift - modeShift - numa.ModeBits // the mode has room

func (n *Node) area() area  { return area{n.start, n.end, n.nodes, n.meta & attrMask} }
func (a area) prot() uint32 { return a.attr & protAll }
func (a area) same(b area) bool {
	return a.attr == b.attr && a.nodes == b.nodes
}

// policy returns the policy of an area.
func (n *Node) policy() numa.Policy { return policyOf(n.meta, n.nodes) }

func policyOf(meta uint32, nodes uint64) numa.Policy {
	return numa.Policy{Mode: numa.Mode(meta & areaMode >> modeShift), Nodes: nodes}
}

// nodeList is a list through Node.link.
type nodeList struct{ first, last, n uint32 }

type areaTree struct {
	root  atomic.Uint64 // changes<<32 | node: every store differs from the last 2^32
	areas atomic.Int64  // in the tree, for ReadStats

	// Under areasLock.
	free, retired nodeList
	usable        uint32 // nodes that have memory: those below; node 0 is no node
	n             int64  // areas in the tree being made
}

var tree areaTree

func (t *areaTree) reset() {
	t.root.Store(0)
	t.areas.Store(0)
	t.free, t.retired = nodeList{}, nodeList{}
	t.usable = 0
	t.n = 0
}

// top returns the root of the current tree.
func (t *areaTree) top() uint32 { return uint32(t.root.Load()) }

func node(i uint32) *Node { return &machine.Nodes[i] }

func (l *nodeList) push(i uint32) {
	if l.n == 0 {
		l.last = i
	}
	node(i).link = l.first
	l.first = i
	l.n++
}

func (l *nodeList) pushLast(i uint32) {
	if l.n == 0 {
		l.push(i)
		return
	}
	node(l.last).link = i
	node(i).link = 0
	l.last = i
	l.n++
}

// prepend moves all of m to the front of l.
func (l *nodeList) prepend(m *nodeList) {
	if m.n == 0 {
		return
	}
	node(m.last).link = l.first
	if l.n == 0 {
		l.last = m.last
	}
	l.first = m.first
	l.n += m.n
	*m = nodeList{}
}

// pop returns 0 from an empty list.
func (l *nodeList) pop() uint32 {
	i := l.first
	if i != 0 {
		l.first = node(i).link
		l.n--
	}
	return i
}

// nodesPerLevel bounds the nodes that a change makes for each level of the
// tree. A change is two splits at most and two links; along a path a split makes
// five nodes a level at worst (joins pay for differences of height, which add up
// to the path, and rebalancing takes up to three), and so does taking the first
// or the last area and joining again. In practice four do: see the test.
const nodesPerLevel = 24

// reserve makes sure that a change which adds up to extra areas cannot run out
// of nodes. It returns false when there is no memory for that.
func (t *areaTree) reserve(cpu int, extra int) bool {
	need := uint64(nodesPerLevel)*uint64(height(t.top())+4) + uint64(extra)
	if uint64(t.free.n) >= need {
		return true
	}
	// A 4 KiB page holds 64 nodes.
	first := max(t.usable, 1)
	limit := (uint64(t.usable) + need - uint64(t.free.n) + 127) &^ 63
	if limit > uint64(len(machine.Nodes)) {
		return false
	}
	if machine.Grow != nil && !machine.Grow(cpu, uint32(limit)) {
		return false
	}
	t.usable = uint32(limit)
	for i := t.usable - 1; i >= first; i-- {
		t.free.push(i)
	}
	return true
}

// commit makes root the tree that faults see, and returns when none sees the
// last one.
func (t *areaTree) commit(root uint32) {
	changes := t.root.Load()>>32 + 1
	t.root.Store(changes<<32 | uint64(root))
	t.areas.Store(t.n)
	waitSections()
	t.free.prepend(&t.retired)
}

// newNode returns a new node for a between the trees l and r, whose heights
// differ by one at most.
func (t *areaTree) newNode(l uint32, a area, r uint32) uint32 {
	i := t.free.pop()
	if i == 0 {
		panic("vm: a change to the areas made more nodes than its bound")
	}
	n := node(i)
	t.n++

	lo, hi, gap, h := a.start, a.end, uint64(0), uint32(0)
	if l != 0 {
		c := node(l)
		lo, gap, h = c.lo, max(c.gap, a.start-c.hi), c.height()
	}
	if r != 0 {
		c := node(r)
		hi, gap, h = c.hi, max(gap, c.gap, c.lo-a.end), max(h, c.height())
	}
	atomic.StoreUint64(&n.start, a.start)
	atomic.StoreUint64(&n.end, a.end)
	atomic.StoreUint64(&n.lo, lo)
	atomic.StoreUint64(&n.hi, hi)
	atomic.StoreUint64(&n.gap, gap)
	atomic.StoreUint64(&n.nodes, a.nodes)
	atomic.StoreUint32(&n.left, l)
	atomic.StoreUint32(&n.right, r)
	atomic.StoreUint32(&n.meta, a.attr|(h+1)<<heightShift)
	return i
}

// take takes node i apart. Its parts go into new nodes, and itself on the
// retired list; it may be read until commit.
func (t *areaTree) take(i uint32) *Node {
	t.retired.push(i)
	t.n--
	return node(i)
}

func (n *Node) height() uint32 { return n.meta >> heightShift }

func height(i uint32) uint32 {
	if i == 0 {
		return 0
	}
	return node(i).height()
}

// balance returns the tree of l, a, r, whose heights differ by two at most.
func (t *areaTree) balance(l uint32, a area, r uint32) uint32 {
	hl, hr := height(l), height(r)
	switch {
	case hl > hr+1:
		n := t.take(l)
		if height(n.left) >= height(n.right) {
			return t.newNode(n.left, n.area(), t.newNode(n.right, a, r))
		}
		m := t.take(n.right)
		return t.newNode(t.newNode(n.left, n.area(), m.left), m.area(), t.newNode(m.right, a, r))
	case hr > hl+1:
		n := t.take(r)
		if height(n.right) >= height(n.left) {
			return t.newNode(t.newNode(l, a, n.left), n.area(), n.right)
		}
		m := t.take(n.left)
		return t.newNode(t.newNode(l, a, m.left), m.area(), t.newNode(m.right, n.area(), n.right))
	}
	return t.newNode(l, a, r)
}

// join returns the tree of l, a, r, of any heights.
func (t *areaTree) join(l uint32, a area, r uint32) uint32 {
	hl, hr := height(l), height(r)
	switch {
	case hl > hr+1:
		n := t.take(l)
		return t.balance(n.left, n.area(), t.join(n.right, a, r))
	case hr > hl+1:
		n := t.take(r)
		return t.balance(t.join(l, a, n.left), n.area(), n.right)
	}
	return t.newNode(l, a, r)
}

// split returns what lies below at and what lies above. An area across it is cut.
func (t *areaTree) split(i uint32, at uint64) (l, r uint32) {
	if i == 0 || at >= node(i).hi {
		return i, 0
	}
	if at <= node(i).lo {
		return 0, i
	}
	n := t.take(i)
	switch a := n.area(); {
	case at <= a.start:
		l, r = t.split(n.left, at)
		return l, t.join(r, a, n.right)
	case at >= a.end:
		l, r = t.split(n.right, at)
		return t.join(n.left, a, l), r
	default:
		b := a
		a.end, b.start = at, at
		return t.join(n.left, a, 0), t.join(0, b, n.right)
	}
}

// popFirst takes the lowest area out of i.
func (t *areaTree) popFirst(i uint32) (area, uint32) {
	n := t.take(i)
	if n.left == 0 {
		return n.area(), n.right
	}
	first, rest := t.popFirst(n.left)
	return first, t.balance(rest, n.area(), n.right)
}

// popLast takes the highest area out of i.
func (t *areaTree) popLast(i uint32) (area, uint32) {
	n := t.take(i)
	if n.right == 0 {
		return n.area(), n.left
	}
	last, rest := t.popLast(n.right)
	return last, t.balance(n.left, n.area(), rest)
}

// link is join, but neighbours that meet with a's attributes become one with it.
func (t *areaTree) link(l uint32, a area, r uint32) uint32 {
	if l != 0 && node(l).hi == a.start && lastOf(l).same(a) {
		var b area
		b, l = t.popLast(l)
		a.start = b.start
	}
	if r != 0 && node(r).lo == a.end && firstOf(r).same(a) {
		var b area
		b, r = t.popFirst(r)
		a.end = b.end
	}
	return t.join(l, a, r)
}

// concat returns the tree of l and r, of any heights, linked where they meet.
func (t *areaTree) concat(l, r uint32) uint32 {
	if r == 0 {
		return l
	}
	a, r := t.popFirst(r)
	return t.link(l, a, r)
}

func firstOf(i uint32) area {
	for node(i).left != 0 {
		i = node(i).left
	}
	return node(i).area()
}

func lastOf(i uint32) area {
	for node(i).right != 0 {
		i = node(i).right
	}
	return node(i).area()
}

// cut splits the current tree into what is below s, in s and above s.
func (t *areaTree) cut(s span) (l, m, r uint32) {
	l, m = t.split(t.top(), s.lo)
	m, r = t.split(m, s.hi)
	return l, m, r
}

// discard takes all of i apart.
func (t *areaTree) discard(i uint32) {
	if i != 0 {
		n := t.take(i)
		t.discard(n.left)
		t.discard(n.right)
	}
}

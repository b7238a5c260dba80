package numa

import "math/bits"

// Policies of placement: which node a page comes from when it is first touched, and where it comes
// from when that node has none left.
//
// They are Linux's (mbind(2), set_mempolicy(2), Documentation/admin-guide/mm/numa_memory_policy.rst),
// with its numbers, and are judged as its mm/mempolicy.c does where no cpuset limits a program. A
// policy is a value of two words and refers to nothing, so that an area or a task holds it by itself:
// no counts of references, nothing to free.

// Mode is how a Policy chooses among its nodes, or Static or Relative beside that.
type Mode uint8

const (
	Default       Mode = iota // none: an area has its task's, and a task Local
	Preferred                 // one node, then others by their distance from it
	Bind                      // the nearest of the nodes, and no other
	Interleave                // the nodes in turn, by the page's address; then others by distance
	Local                     // the node of the CPU that touches it; then others by distance
	PreferredMany             // the nearest of the nodes, then others by distance
	modes

	// Static: the nodes are meant as they are named; Relative: counted among those with memory. All
	// nodes are there for good, so Static only changes what a program is told about its own policy.
	Static   Mode = 1 << 3
	Relative Mode = 1 << 4

	// ModeBits is how many bits a Mode takes.
	ModeBits = 5

	modeFlags = Static | Relative
)

// Base returns m without Static and Relative.
func (m Mode) Base() Mode { return m &^ modeFlags }

// Policy says which nodes memory comes from. The zero Policy is Default. Nodes has a bit for each
// node, and is what the program named if the mode has a flag, else what of that has memory.
type Policy struct {
	Mode  Mode
	Nodes uint64
}

// NewPolicy returns the policy that a program means by a mode and a set of nodes, where memory is the
// set of nodes with RAM. Preferred without nodes is Local, as on Linux.
//
// False: there is no such mode, or nodes don't go with it, or none of them has memory.
func NewPolicy(m Mode, nodes, memory uint64) (Policy, bool) {
	base, flags := m.Base(), m&modeFlags
	switch {
	case base >= modes, flags == modeFlags:
		return Policy{}, false
	case base == Default:
		return Policy{}, nodes == 0
	case base == Local, base == Preferred && nodes == 0:
		return Policy{Mode: Local}, nodes == 0 && flags == 0
	}
	p := Policy{m, nodes}
	in := p.In(memory)
	if flags == 0 {
		p.Nodes = in
	}
	return p, in != 0
}

// In returns the nodes that p means, where memory is the set of nodes with RAM: of Preferred one,
// and none of Default and Local.
func (p Policy) In(memory uint64) uint64 {
	in := p.Nodes & memory
	if p.Mode&Relative != 0 {
		in = relative(p.Nodes, memory)
	}
	if p.Mode.Base() == Preferred {
		in &= -in
	}
	return in
}

// relative returns the nodes of memory with the ranks that nodes has bits for, modulo their number.
func relative(nodes, memory uint64) (in uint64) {
	n := bits.OnesCount64(memory)
	for ; nodes != 0 && n != 0; nodes &= nodes - 1 {
		in |= 1 << nth(memory, bits.TrailingZeros64(nodes)%n)
	}
	return in
}

// nth returns the number of the bit in set that has n others below it.
func nth(set uint64, n int) int {
	for ; n > 0; n-- {
		set &= set - 1
	}
	return bits.TrailingZeros64(set)
}

// Memory returns the set of nodes with RAM.
func (t *Topology) Memory() uint64 { return t.memory }

// Place returns the nodes in which to look for a page, the first one first, if a CPU of node touches
// it: page is its address in units of its size, by which Interleave goes. So neighbours come from
// different nodes whatever order they are touched in, and a page's node does not change with the
// area's ends. The slice aliases t, or buf, and must not be changed.
//
// Only Bind leaves nodes out, and thereby memory that is free.
func (t *Topology) Place(p Policy, node int, page uint64, buf *[MaxNodes]uint8) []uint8 {
	if p.Mode == Default || p.Mode == Local {
		return t.Order(node)
	}
	in := p.In(t.memory)
	switch p.Mode.Base() {
	case Preferred:
		return t.Order(bits.TrailingZeros64(in))
	case Interleave:
		return t.Order(nth(in, int(page%uint64(bits.OnesCount64(in)))))
	}
	n := pick(buf[:0:MaxNodes], t.Order(node), in)
	if p.Mode.Base() == PreferredMany {
		n = pick(n, t.Order(node), ^in)
	}
	return n
}

// pick adds to list the nodes of order that are in set; list has room.
func pick(list, order []uint8, set uint64) []uint8 {
	for _, n := range order {
		if set>>n&1 != 0 {
			list = list[:len(list)+1]
			list[len(list)-1] = n
		}
	}
	return list
}

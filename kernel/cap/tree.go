package cap

// The derivation tree: the list of a capability's children, and walks over what is below it.
//
// Papers: T. Harris, "A Pragmatic Implementation of Non-Blocking Linked-Lists", DISC 2001, for
// removal in two steps (mark the element's own next word, then swing the one before it) and for
// cutting a run of marked elements at once. M. Michael, SPAA 2002, adds tags against reuse; here
// the grace period is against it: what was linked when a read section began is not reused
// before it ends, so within a section a slot number means one tenant, and no CAS is fooled.
//
//	first  slot of the newest child
//	next   slot of the next older sibling | TOMB | SETTLED | CUT
//
// Words and writers:
//
//	parent      who fills the slot, before it is linked. Constant until the slot is free
//	first       by CAS: Derive puts a child in front; sweeps
//	next        by plain store its owner, before it is linked; by CAS sweeps, until TOMB; TOMB by CAS,
//	            the entry's owner; then the slot is constant, and SETTLED and CUT are or-ed in
//	            (reclaim.go)
//	tombs       anyone, by adding; who takes it to 0 by CAS sweeps
//	sweepAt     who sweeps
//
// Invariant: a child that was linked and isn't TOMB is reached by following next from first, and
// from every element that was before it, also from one that has been cut out since: nothing is
// inserted but in front, and only TOMBs are skipped.
//
// The owner of a REVOKED entry is who made it the top of a Revoke, or the Derive that failed. An
// entry that died because one above it did belongs to that one's owner, and gets no TOMB.
//
// Linearization: push at the CAS of first, bury at the CAS that sets TOMB.
//
// TOMBs stay in the list until there are more than an eighth of what the last sweep found alive;
// then who buried the last one cuts them all. So a removal costs nine steps on average, not a
// search through a list of a million, and the tombs of a list are at most an eighth of the largest
// number of live children that it had since (and none when the table is full: room.go). A sweep does what it can: what it could not cut,
// because somebody changed the word before it, it leaves for the next.
//
// Progress: push and bury are lock-free; sweep is wait-free, and so is each step of a walk.
//
// Rejected: Michael's search from the front at each removal (quadratic for who deletes many
// children in the order of their creation); a doubly linked list (more words to keep in step than
// the whole rest); tags in the links (the read section is needed anyway, for the walks).

const (
	tomb    = 1 << 24 // not a member any more; everything below is REVOKED
	settled = 1 << 25 // its owner has taken what was below
	cut     = 1 << 26 // nothing links to it
)

// sweepShare: a sweep is due when there is more than one tomb in so many live children.
const sweepShare = 8

// push puts a child in front.
//
// Preconditions: in a read section; the caller owns the child.
func (t *Table) push(parent, child uint32) {
	first, next := &t.cold[parent].first, &t.cold[child].next
	for {
		older := first.Load()
		own32(next, older)
		if first.CompareAndSwap(older, child) {
			return
		}
	}
}

// bury makes a tomb of an entry whose subtree is REVOKED, unless it is a root, and sweeps if that is due,
// adding what it cut to the list.
//
// Preconditions: in the read section in which the caller became the owner.
func (t *Table) bury(slot uint32, out *list) {
	c := &t.cold[slot]
	parent := c.parent.Load()
	if parent == 0 {
		return // in no list
	}
	for {
		next := c.next.Load()
		if c.next.CompareAndSwap(next, next|tomb) {
			break
		}
	}
	p := &t.cold[parent]
	if n := p.tombs.Add(1); n > p.sweepAt.Load() && p.tombs.CompareAndSwap(n, 0) {
		t.sweep(parent, out)
	}
}

// sweep cuts the tombs out of a list of children, and adds them to a list of the caller's.
func (t *Table) sweep(parent uint32, out *list) {
	p := &t.cold[parent]
	live, left := uint32(0), uint32(0)
	before := &p.first
	for at := before.Load(); at != 0; {
		next := t.cold[at].next.Load()
		if next&tomb == 0 {
			live++
			before = &t.cold[at].next
			at = next
			continue
		}
		run, n := at, uint32(0)
		for next&tomb != 0 { // slot 0 is never one
			n++
			at = next & slotMask
			next = t.cold[at].next.Load()
		}
		if !before.CompareAndSwap(run, at) {
			left += n
			continue
		}
		for run != at { // the links of tombs don't change
			next := t.cold[run].next.Load() & slotMask
			out.add(t, run)
			run = next
		}
	}
	p.sweepAt.Store(live / sweepShare)
	p.tombs.Add(left)
}

// member returns the first from slot on that isn't a tomb; 0: none.
func (t *Table) member(slot uint32) uint32 {
	for slot != 0 {
		next := t.cold[slot].next.Load()
		if next&tomb == 0 {
			break
		}
		slot = next & slotMask
	}
	return slot
}

// after returns what follows slot in the walk over top and everything below it, parents before
// children; 0: that was all. Subtrees of tombs are left out. The children of slot are looked for at
// the call: so who changes a word and then calls has them later than any Derive that still saw the
// word as it was.
//
// Preconditions: in the read section that found top linked, or top's.
func (t *Table) after(top, slot uint32) uint32 {
	if child := t.member(t.cold[slot].first.Load()); child != 0 {
		return child
	}
	for slot != top {
		if sibling := t.member(t.cold[slot].next.Load() & slotMask); sibling != 0 {
			return sibling
		}
		slot = t.cold[slot].parent.Load()
	}
	return 0
}

// above reports whether a slot is another one, or an ancestor of it.
//
// Preconditions: in a read section that found the other one active.
func (t *Table) above(ancestor, slot uint32) bool {
	for slot != 0 && slot != ancestor {
		slot = t.cold[slot].parent.Load()
	}
	return slot != 0
}

package cap

import "pdac/kernel/lockfree"

// Reclamation: when a slot is free again.
//
// A slot can be reused when no link leads to it and the read sections that could have followed one
// have ended. There are two cases.
//
// What died below the top of a Revoke. The owner of the top waits for a grace period after it
// killed everything and made a tomb of the top. From then on nothing below changes: a Derive that
// began before has ended, and later ones find their parent REVOKED before they link. Nobody gets
// there, either: a walk that reads the top's next word finds a tomb and goes by. So the owner alone
// has the subtree, but for the tombs in it, whose subtrees belong to their own owners.
//
// A tomb. It can be cut out of its list by somebody else, while its owner is still taking what was
// below. It is free when both have happened: the owner is done (SETTLED), and a grace period has
// passed since it was cut, or since its parent's whole list was (CUT). Who sets the second of the
// two bits frees it. A root is in no list, so it gets neither: its owner frees it when he is done.
//
// The owner of a child does not touch the parent outside of the section in which it found the child
// active, since the parent's owner may free the parent a grace period after it revoked the child's
// ancestors.
//
// What was below goes back as one list, after the walk over it: a slot that is free can be filled, and the walk
// goes up by its words.
//
// Words and writers: SETTLED and CUT in next by or, each once; links of a slot by who has it to
// himself.
//
// Progress: wait-free but for the grace period.

// list is a list of slots that nobody else has, linked as lockfree.Stack links them.
type list struct{ head, tail uint32 } // of an empty one head is 0

func (l *list) add(t *Table, slot uint32) {
	if l.head == 0 {
		l.tail = slot
	}
	lockfree.Link(t.links, slot, l.head) // slot 0 is none
	l.head = slot
}

// take removes one; 0: the list is empty.
func (l *list) take(t *Table) uint32 {
	slot := l.head
	if slot != 0 {
		l.head, _ = lockfree.Next(t.links, slot)
	}
	return slot
}

// reclaim frees what was below a top of the caller's, settles the top, and marks what the caller cut
// out of lists.
//
// Preconditions: a grace period after the top was buried and those were cut; the caller owns the
// top.
func (t *Table) reclaim(cpu int, top uint32, out list) {
	t.reclaimBelow(cpu, top)
	t.unlinked(cpu, out)
	if t.cold[top].parent.Load() != 0 {
		t.part(cpu, top, settled)
		return
	}
	t.tally(cpu, reclaimed, 1)
	t.release(cpu, top)
}

// reclaimBelow frees what was below a top of the caller's.
//
// Preconditions: as reclaim.
func (t *Table) reclaimBelow(cpu int, top uint32) {
	var near, others list
	n := int64(0)
	for slot := top; ; n++ {
		// The next one down, or else to the right, or up and right.
		next := t.inherit(cpu, t.cold[slot].first.Load())
		for next == 0 && slot != top {
			next = t.inherit(cpu, t.cold[slot].next.Load())
			slot = t.cold[slot].parent.Load()
		}
		if next == 0 {
			break
		}
		t.detach(next)
		if t.keeps(cpu, next) {
			near.add(t, next)
		} else {
			others.add(t, next)
		}
		slot = next
	}
	if n == 0 {
		return
	}
	t.tally(cpu, reclaimed, n)
	if near.head != 0 {
		t.locals[cpu].free.PushList(t.links, near.head, near.tail)
	}
	for slot := others.take(t); slot != 0; slot = others.take(t) {
		t.give(cpu, slot)
	}
}

// inherit returns the first in a list of children that isn't a tomb, and cuts the tombs before it.
func (t *Table) inherit(cpu int, slot uint32) uint32 {
	for slot != 0 {
		next := t.cold[slot].next.Load()
		if next&tomb == 0 {
			break
		}
		t.part(cpu, slot, cut)
		slot = next & slotMask
	}
	return slot
}

// unlinked frees what was cut out of lists a grace period ago, or leaves it to the owners.
func (t *Table) unlinked(cpu int, out list) {
	for slot := out.take(t); slot != 0; slot = out.take(t) {
		t.part(cpu, slot, cut)
	}
}

// part sets one of a tomb's two bits, and frees it if that was the second.
func (t *Table) part(cpu int, slot, bit uint32) {
	if t.cold[slot].next.Or(bit)&(settled|cut)&^bit != 0 {
		t.tally(cpu, reclaimed, 1)
		t.release(cpu, slot)
	}
}

// release gives a slot back, which the caller has counted.
//
// Preconditions: nobody else can reach it.
func (t *Table) release(cpu int, slot uint32) {
	t.detach(slot)
	if t.cold[slot].parent.Load() == 0 {
		t.unhold(Object(t.at(slot).object.Load()))
	}
	t.give(cpu, slot)
}

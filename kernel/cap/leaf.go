package cap

// Revoking a root below which there is nothing, by its own right: what comes and goes all the time, as
// replies and sessions do.
//
// It needs no read section of the table's domain. What cutDown needs one for is above the entry, which a root has nothing, or
// below: and from the CAS that made the word REVOKED the slot is the caller's, until he gives it back. So CPUs
// that revoke at the same time write nothing that the others read: a grace period looks at the counts of all
// sections, and each look at a count that another CPU has just written takes as long as the whole rest.
//
// The load of first after that CAS is one half of derive.go's pattern: if it finds no child, a Derive that
// links one later finds the word REVOKED, and makes a tomb of it in the section that the grace period waits
// for; reclaimBelow leaves that to it. If it finds one, the walk over it gets a section, which begins in
// time: nothing that is linked to a slot of the caller's is reused before the sections end that saw it linked.
//
// Between that CAS and the end of the walk nobody else finds the root alive, nor what is below it dead. EndSpace,
// which takes what it finds REVOKED for dead, must not return before it is: so the two are in a section of a domain
// that EndSpace alone waits for, and whose counts nobody else looks at.
//
// Linearization: the CAS. Progress: as Revoke.

// endOwn is end on id's own right.
func (t *Table) endOwn(id ID, need Perm) error {
	if t.insiders.inside() {
		return ErrInside
	}
	if !t.cutLeaf(id, need) {
		return t.end(id, id, func() error { return t.authorise(id, id, need) })
	}
	t.rcu.Synchronize()
	cpu, slot := t.rcu.CPU(), id.Slot()
	t.reclaimBelow(cpu, slot)
	t.tally(cpu, finished, 1)
	t.release(cpu, slot)
	return nil
}

// cutLeaf makes a root REVOKED that has no formula, no account and no children. Then the caller owns it, and
// all below, should there be something by now, is dead. False: it isn't one, or something has changed it at the
// same time, and nothing was done.
func (t *Table) cutLeaf(id ID, need Perm) bool {
	slot := id.Slot()
	if slot >= t.limit.Load() {
		return false
	}
	w := t.at(slot).word.Load()
	is, s := split(w, slot)
	c := &t.cold[slot] // of this tenant, if the CAS succeeds
	if is != id || s&(inactive|slow) != 0 || need&^s.perms() != 0 || c.parent.Load() != 0 || c.first.Load() != 0 {
		return false
	}
	defer t.leaves.ReadUnlock(t.leaves.ReadLock(t.rcu.CPU()))
	if !t.change(slot, w, join(id, revoked)) { // pairs with Derive's load
		return false
	}
	t.wake(slot)
	if c.first.Load() != 0 {
		t.cutBelow(slot)
	}
	return true
}

// cutBelow kills what was derived from a root of the caller's that is REVOKED.
func (t *Table) cutBelow(root uint32) {
	cpu := t.rcu.CPU()
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(cpu))
	t.tally(cpu, died, t.killBelow(root))
}

package cap

// Narrowing a subtree: as Revoke, but each CAS takes permissions away instead of everything. A
// child that is being derived, NEW, is narrowed too, and if that changed its word it will not be
// published; if not, it has nothing that is being taken. DIRTY is told to a Grant under way, which
// may have based itself on the permissions that an entry above has just lost (grant.go).
//
// Linearization: for each entry, the CAS; for one that had nothing to lose, the load of its word.
//
// Progress: the walk is lock-free; Narrow as a whole blocks for a grace period.

// Narrow takes all permissions but those to keep from a capability and everything derived from it.
// The authority is id itself or an ancestor, and has Revoke: this is a Revoke in part. Blocked calls
// are woken, to look whether they still may. It waits as Revoke does, under the same condition.
//
// Errors: of either as Lookup; ErrNotOwner; ErrInside.
func (t *Table) Narrow(authority, id ID, keep Perm) error {
	if t.insiders.inside() {
		return ErrInside
	}
	defer t.Agree(authority).End()
	if err := t.narrowAll(authority, id, keep); err != nil {
		return err
	}
	t.rcu.Synchronize()
	return nil
}

// narrowAll narrows a capability and what is below it.
func (t *Table) narrowAll(authority, id ID, keep Perm) error {
	top := id.Slot()
	cpu := t.rcu.CPU()
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(cpu))
	if err := t.authorise(authority, id, Revoke); err != nil {
		return err
	}
	if !t.narrow(cpu, top, keep, id) {
		return ErrRevoked
	}
	for slot := t.after(top, top); slot != 0; slot = t.after(top, slot) {
		t.narrow(cpu, slot, keep, 0)
	}
	return nil
}

// narrow narrows one entry, if its identifier is only, or whatever it is if that is 0. False: it
// isn't, or is REVOKED.
//
// Preconditions: in the read section that found it linked.
func (t *Table) narrow(cpu int, slot uint32, keep Perm, only ID) bool {
	word := &t.at(slot).word
	for {
		w := word.Load()
		id, s := split(w, slot)
		if s == revoked || only != 0 && id != only {
			return false
		}
		less := s.without(^keep & AllPerms)
		if less.active() && s&pending != 0 {
			less |= dirty
		}
		if less == s {
			return true
		}
		if t.change(slot, w, join(id, less)) { // pairs with the loads in Derive and Grant
			if s.perms() != less.perms() {
				t.wake(slot)
				t.tally(cpu, narrowed, 1)
			}
			return true
		}
	}
}

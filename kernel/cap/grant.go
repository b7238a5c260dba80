package cap

// Granting, against Narrow and Revoke (Dekker's pattern, with a flag to be seen by).
//
//	Grant                                   Narrow
//	  set PENDING in the child's word         take from the parent's word
//	  load the parent's word                  take from the child's, and set DIRTY if it is PENDING
//	  add, by a CAS from PENDING without DIRTY
//
// Either Grant sees that the parent has lost what it was to give, or Narrow finds PENDING and sets
// DIRTY, and the CAS fails. Then Grant takes DIRTY away and looks at the parent again. The child's
// word alone would not do: a Narrow that finds nothing to take from it would leave it as it is, and
// the CAS would add what the parent hasn't any more.
//
// Writers: PENDING is set by CAS, by one Grant at a time, and cleared by the same one, as is DIRTY;
// or by Transfer, which takes the tag away from under it, so that its CAS fails for good. So as
// long as a Grant sees PENDING under its own tag it is its own, and a word with PENDING and without
// DIRTY, if it comes back, comes back only by that Grant's own hand.
//
// Linearization: the CAS that adds; with nothing to add, the load of the word. The permissions were
// the parent's at some time between PENDING and the CAS, and every Narrow that took them from the
// parent later finds the child after it.
//
// Progress: lock-free; a CAS fails only because somebody narrowed, revoked, transferred, or began to
// grant. A second Grant to the same capability does not wait for the first: it fails with ErrBusy.
//
// Rejected: undoing the Grant when the parent turns out to have changed, since a check may pass in
// between; a version in the word instead of the flags, since it wraps; a Grant that helps the one
// it finds, since its CAS could be late and hit the PENDING of a third.

// Grant adds permissions to a capability, which has Upgrade. The authority is its parent, and has
// Delegate and all of the permissions.
//
// Errors: of either as Lookup; ErrNotOwner, *ExceedsError, ErrBusy.
func (t *Table) Grant(authority, id ID, p Perm) error {
	defer t.Agree(authority).End()
	cpu := t.rcu.CPU()
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(cpu))
	if _, v := t.judge(id, Upgrade); v != OK {
		return t.explain(v, id, Upgrade)
	}
	s, err := t.delegable(authority, p)
	if err != nil {
		return err
	}
	if t.cold[id.Slot()].parent.Load() != authority.Slot() {
		return ErrNotOwner
	}
	if err := t.consent(authority.Slot(), s); err != nil {
		return err
	}
	wanted, err := t.claim(id, p)
	if err != nil || !wanted {
		return err
	}
	return t.add(cpu, authority, id, p)
}

// claim sets PENDING. False: there is nothing to add.
//
// Preconditions: in a read section.
func (t *Table) claim(id ID, p Perm) (bool, error) {
	word := &t.at(id.Slot()).word
	for {
		w := word.Load()
		is, s := split(w, id.Slot())
		switch {
		case is != id || !s.active():
			return false, ErrRevoked
		case p&^s.perms() == 0:
			return false, nil
		case s&pending != 0:
			return false, ErrBusy
		}
		if word.CompareAndSwap(w, join(id, s|pending)) { // pairs with the load in narrow
			return true, nil
		}
	}
}

// add adds permissions to a PENDING word, if the parent has them, and takes PENDING away.
//
// Preconditions: PENDING is the caller's; in the read section that found authority to be the parent
// of id.
func (t *Table) add(cpu int, authority, id ID, p Perm) error {
	word := &t.at(id.Slot()).word
	for {
		w := word.Load()
		is, s := split(w, id.Slot())
		if is != id || !s.active() {
			return ErrRevoked // and PENDING with it
		}
		if s&dirty != 0 {
			word.CompareAndSwap(w, join(id, s&^dirty))
			continue
		}
		_, err := t.delegable(authority, p) // pairs with the CAS in narrow
		if err == nil && s.perms()&Upgrade == 0 {
			err = &PermissionError{Upgrade}
		}
		done := s &^ pending
		if err == nil {
			done = done.with(p)
		}
		if word.CompareAndSwap(w, join(id, done)) {
			if err == nil {
				t.tally(cpu, granted, 1)
			}
			return err
		}
	}
}

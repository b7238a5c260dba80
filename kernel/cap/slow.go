package cap

// Asking: the slow path, for entries with a formula, and for telling why not.
//
// An entry with a formula or an account is SLOW, and so is all that is derived from it: a child
// can't escape what its parent must ask. The chain from the entry up to its root is walked in a
// read section, so that no slot of it changes its tenant. What it evaluates is formula.go's.
//
// Linearization: at the load of the word that found the permissions, followed by that of the
// formulas; a Revoke that comes between the two overlaps with this call.
//
// Progress: lock-free, as far as a user's function is.

// judge looks at the word alone: the state is of use with OK, when it may have a formula to ask.
func (t *Table) judge(id ID, need Perm) (state, Verdict) {
	slot := id.Slot()
	if slot >= t.limit.Load() {
		return revoked, ErrNoCapability
	}
	is, s := split(t.at(slot).word.Load(), slot)
	switch {
	case is != id || !s.active():
		return s, t.past(id)
	case need&^s.perms() != 0:
		return s, ErrPermission
	}
	return s, OK
}

// past tells an identifier that was one from one that never was.
func (t *Table) past(id ID) Verdict {
	slot := id.Slot()
	if g := t.tags.generation(slot, id.tag()); g != 0 && g <= t.cold[slot].generation.Load() {
		return ErrRevoked
	}
	return ErrNoCapability
}

// verdict judges, and asks the formulas if there are some.
func (t *Table) verdict(cpu int, id ID, need Perm) Verdict {
	s, v := t.judge(id, need)
	if v != OK || s&slow == 0 {
		return v
	}
	var c Consent
	if t.hasFunctions(id.Slot()) {
		c = t.Agree(id) // here alone something can panic
	}
	token := t.rcu.ReadLock(cpu)
	if _, v = t.judge(id, need); v == OK { // its slot is its own until the section ends
		v = t.evalChain(id.Slot(), 0)
	}
	t.rcu.ReadUnlock(token)
	c.End()
	return v
}

// Verdict tells what Lookup would say, without the object. It is a use, as Check.
//
// World: both; below the runtime as Look, under its preconditions.
func (t *Table) Verdict(id ID, need Perm) Verdict {
	_, v := t.Look(id, need)
	return v
}

// explain makes an error of a verdict.
func (t *Table) explain(v Verdict, id ID, need Perm) error {
	if v != ErrPermission {
		return v
	}
	missing := need &^ AllPerms
	if slot := id.Slot(); slot < t.limit.Load() {
		if is, s := split(t.at(slot).word.Load(), slot); is == id {
			missing = need &^ s.perms()
		}
	}
	if missing == 0 { // granted meanwhile
		missing = need
	}
	return &PermissionError{missing}
}

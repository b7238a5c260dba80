package cap

// Deriving, against Revoke, Narrow and Transfer (Dekker's pattern).
//
//	Derive                              Revoke, Narrow
//	  link the child, its word NEW        change the parent's word
//	  load the parent's word              load its list of children
//	  publish, if that still allows it    change each child's word
//
// All four accesses are sequentially consistent, so either Derive sees the parent's word changed,
// and fails, or the walk sees the child. Then it changes the child's word, published or not, and
// the CAS that publishes fails, since it is from the word as Derive wrote it. So no entry escapes.
// It doesn't matter when the parent's word was changed and changed back (Narrow, then Grant): what
// the child has is then based on the Grant.
//
// Linearization: a Derive that succeeds at the load of the parent's word; the child is there from
// the CAS that publishes.
//
// What failed after it was linked is a REVOKED entry with an owner: the Derive, if its CAS to
// REVOKED succeeds, else the one who killed it. The Derive makes a tomb of it and doesn't wait.
//
// Progress: lock-free.

// Derive makes a capability for the same object below parent, which has to have Delegate, for a
// space. What it permits is p, a part of what the parent does; what the parent's formulas say
// counts for it too, and deriving is a use. Gas comes from the account that the parent draws on.
//
// Errors: of the parent as Lookup; *ExceedsError; ErrFormula, ErrGas, ErrFull.
func (t *Table) Derive(cpu int, parent ID, to Space, p Perm, opt Options) (ID, error) {
	if !t.Holds(parent, 0) { // else there is nobody to ask
		defer t.Agree(parent).End()
	}
	return t.DeriveAgreed(cpu, parent, to, p, opt)
}

// DeriveAgreed is Derive for who is in a section that others may wait for: it asks no functions, which Agree
// has to have asked before.
func (t *Table) DeriveAgreed(cpu int, parent ID, to Space, p Perm, opt Options) (ID, error) {
	var out list
	id, err := t.derive(cpu, parent, to, p, opt, &out)
	if out.head != 0 {
		later := out // a copy, so that out needs no memory when there is nothing to do
		t.rcu.Call(func() { t.unlinked(t.rcu.CPU(), later) })
	}
	return id, err
}

func (t *Table) derive(cpu int, parent ID, to Space, p Perm, opt Options, out *list) (ID, error) {
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(cpu))
	s, err := t.delegable(parent, p)
	if err != nil {
		return 0, err
	}
	id, word, err := t.link(cpu, parent.Slot(), s, to, p, opt)
	if err != nil {
		return 0, err
	}
	if err := t.publish(parent, id, word, p); err != nil {
		t.abandon(cpu, id.Slot(), out)
		return 0, err
	}
	return id, nil
}

// link makes a NEW entry below a parent that was found in state s.
//
// Preconditions: in the read section that found it so.
func (t *Table) link(cpu int, parent uint32, s state, to Space, p Perm, opt Options) (ID, uint64, error) {
	slot, ok := t.take(cpu)
	if !ok {
		return 0, 0, ErrFull
	}
	o := Object(t.at(parent).object.Load())
	id, word, err := t.fill(slot, parent, to, o, p, s&slow != 0, opt)
	if err != nil {
		t.give(cpu, slot)
		return 0, 0, err
	}
	t.tally(cpu, derived, 1)
	t.push(parent, slot)
	return id, word, nil
}

// publish makes a NEW entry ACTIVE, if its parent still allows it.
func (t *Table) publish(parent, id ID, word uint64, p Perm) error {
	if _, err := t.delegable(parent, p); err != nil { // pairs with the CAS in kill, narrow and transfer
		return err
	}
	w := &t.at(id.Slot()).word
	if w.CompareAndSwap(word, word^uint64(inactive)) {
		return nil
	}
	if _, s := split(w.Load(), id.Slot()); s != revoked {
		return &ExceedsError{p &^ s.perms()}
	}
	return ErrRevoked
}

// abandon ends a NEW entry that was not published.
func (t *Table) abandon(cpu int, slot uint32, out *list) {
	if t.kill(slot) { // else it belongs to who revoked its parent
		t.tally(cpu, died, 1)
		t.bury(slot, out)
		t.part(cpu, slot, settled)
	}
}

// delegable reports whether these permissions can be handed on from a capability.
func (t *Table) delegable(id ID, p Perm) (state, error) {
	s, v := t.judge(id, Delegate)
	if v != OK {
		return s, t.explain(v, id, Delegate)
	}
	if excess := p &^ s.perms(); excess != 0 {
		return s, &ExceedsError{excess}
	}
	return s, nil
}

// consent asks the formulas of an authority, if it has some: what it does is a use.
//
// Preconditions: in the read section that found it in this state.
func (t *Table) consent(slot uint32, s state) error {
	if s&slow == 0 {
		return nil
	}
	return t.evalChain(slot, 0).Err()
}

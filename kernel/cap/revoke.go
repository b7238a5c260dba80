package cap

// Revoking a subtree.
//
// Top down, entry by entry, a CAS makes the word REVOKED; then the entry's children are looked for.
// derive.go argues that none escapes, grant.go that none gets more. A walk goes also below what it
// finds REVOKED by somebody else, who may have been stopped halfway: walkers help each other and
// none waits for another.
//
// Who made the top REVOKED owns it (tree.go) and, if it is in a list, makes a tomb of it, after everything
// below is dead. Of two that revoke the same capability the second gets ErrRevoked.
//
// After the walk Synchronize waits for all sections of the domain that are under way: gated calls
// that one of the entries admitted, other walkers that killed some of them and may not yet have
// woken the blocked calls, and Derives. So after the return nothing in the
// subtree passes, and nothing that passed is still running.
//
// A root that is alone has a shorter way: leaf.go.
//
// Linearization: for each entry, the CAS that makes it REVOKED, by this walk or by another.
//
// Progress: the walk is lock-free. Revoke as a whole blocks for a grace period, hence for the gated
// calls.
//
// Rejected: leaving the section of a long walk now and then, in which no grace period ends. Between two
// sections who owns an entry above the top could free the top, which is no tomb yet; and it can't be
// one before all is dead below it, since walks go by tombs. And the place where the walk stands may lie
// below somebody else's tomb, and be free by then: so the walk would begin again at the top, over all
// that is dead already. Who has a million entries to revoke, and minds the tenth of a second that it takes, revokes
// parts of them first.

// Revoke ends a capability and everything derived from it. The authority is id itself or an
// ancestor, and has Revoke. When it returns, no check of any of them passes anywhere, the calls that
// they admitted have ended, and those that were blocked have been woken.
//
// It waits for gated calls, so it must not be called inside one: in the read section that Admit
// wants.
//
// Errors: of either as Lookup; ErrNotOwner; ErrInside.
func (t *Table) Revoke(authority, id ID) error {
	if authority == id {
		return t.endOwn(id, Revoke)
	}
	return t.end(authority, id, func() error { return t.authorise(authority, id, Revoke) })
}

// Delete is a Revoke of one's own: id has Delete.
//
// Errors: as Revoke.
func (t *Table) Delete(id ID) error { return t.endOwn(id, Delete) }

// Kill is the kernel's Revoke: it needs no authority.
//
// Errors: ErrNoCapability, ErrRevoked, ErrInside.
func (t *Table) Kill(id ID) error {
	return t.end(0, id, func() error {
		_, v := t.judge(id, 0)
		return v.Err()
	})
}

// end revokes what allow, called in the read section, agrees to, on behalf of an authority; 0: the kernel.
func (t *Table) end(authority, id ID, allow func() error) error {
	if t.insiders.inside() {
		return ErrInside
	}
	defer t.Agree(authority).End()
	cpu := t.rcu.CPU() // asked once: after the wait it may be another, which is as right
	var out list
	if err := t.cutDown(cpu, id, allow, &out); err != nil {
		return err
	}
	t.rcu.Synchronize()
	t.reclaim(cpu, id.Slot(), out)
	return nil
}

// authorise reports whether an authority with the needed permission is id or above it, both being
// active, and its formulas agree.
//
// Preconditions: in a read section.
func (t *Table) authorise(authority, id ID, need Perm) error {
	if _, v := t.judge(id, 0); v != OK {
		return v
	}
	s, v := t.judge(authority, need)
	if v != OK {
		return t.explain(v, authority, need)
	}
	if !t.above(authority.Slot(), id.Slot()) {
		return ErrNotOwner
	}
	return t.consent(authority.Slot(), s)
}

// cutDown kills a capability and all below and makes a tomb of it, if allow agrees. Then the caller
// owns it.
func (t *Table) cutDown(cpu int, id ID, allow func() error, out *list) error {
	top := id.Slot()
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(cpu))
	if err := allow(); err != nil {
		return err
	}
	for {
		w := t.at(top).word.Load()
		if is, s := split(w, top); is != id || !s.active() {
			return ErrRevoked
		}
		if t.change(top, w, join(id, revoked)) {
			break
		}
	}
	t.killed(top)
	t.tally(cpu, died, 1+t.killBelow(top))
	t.bury(top, out)
	return nil
}

// killBelow kills everything below an entry, and returns how much it was, which the caller counts.
//
// Preconditions: in a read section; the caller owns the entry.
func (t *Table) killBelow(top uint32) (n int64) {
	for slot := t.after(top, top); slot != 0; slot = t.after(top, slot) {
		if t.kill(slot) {
			n++
		}
	}
	return n
}

// kill makes an entry REVOKED, whatever its identifier, which the caller counts. False: it was.
//
// Preconditions: in the read section that found it linked.
func (t *Table) kill(slot uint32) bool {
	for {
		w := t.at(slot).word.Load()
		id, s := split(w, slot)
		if s == revoked {
			return false
		}
		if t.change(slot, w, join(id, revoked)) { // pairs with Derive's load
			t.killed(slot)
			return true
		}
	}
}

// killed does what follows from an entry's end, once: who made it REVOKED calls.
func (t *Table) killed(slot uint32) {
	t.closeGas(slot)
	t.wake(slot)
}

// EndSpace revokes all that a space holds, and what was derived from that, and returns how many
// capabilities of the space it revoked. The caller sees to it that the space gets no further ones.
// When it returns none of them passes, as after Revoke.
//
// What is REVOKED already it leaves to who made it so, and waits until he has walked over what is below: a root
// that was alone in a section of leaves (leaf.go), everybody else in one of the table's domain. The first wait
// comes first, since the second is for the calls, too, that were admitted by what died before the first ended.
//
// Errors: ErrInside.
func (t *Table) EndSpace(s Space) (int, error) {
	if t.insiders.inside() {
		return 0, ErrInside
	}
	cpu := t.rcu.CPU()
	var tops []uint32
	var out list
	for slot := uint32(1); slot < t.limit.Load(); slot++ {
		if t.cold[slot].space.Load() != uint32(s) {
			continue
		}
		id, _ := split(t.at(slot).word.Load(), slot)
		held := func() error {
			if i, ok := t.info(slot); !ok || i.ID != id || i.Space != s {
				return ErrNotOwner
			}
			return nil
		}
		if t.cutDown(cpu, id, held, &out) == nil {
			tops = append(tops, slot)
		}
	}
	t.leaves.Synchronize()
	t.rcu.Synchronize()
	for _, top := range tops {
		t.reclaim(cpu, top, out)
		out = list{}
	}
	return len(tops), nil
}

package cap

// Transferring: the entry stays where it is, with its object, children, formula and account, and
// gets another identifier, so that who knew the old one has nothing.
//
// One CAS puts a later generation's tag into the word, and takes a Grant's flags away with the old
// one. Of two at the same time the second finds another tag. Each takes a generation of its own by
// adding, before the CAS: so none comes twice, also when somebody learns the new identifier from
// Walk and transfers it before this call has returned. (It leaves open whose it then is: the space
// is written after the CAS, and the later store stays.) One that fails has used up a generation.
//
// Linearization: the CAS. Progress: lock-free, then a grace period.

// Transfer gives a capability, which has Transfer, to another space, and returns its new
// identifier. What was derived from it stays below it. The old identifier ends as by Revoke, which
// see for what it waits.
//
// Errors: as Lookup; ErrInside; ErrFull if the slot has no further identifier.
func (t *Table) Transfer(id ID, to Space) (ID, error) {
	if t.insiders.inside() {
		return 0, ErrInside
	}
	defer t.Agree(id).End()
	moved, err := t.transfer(id, to)
	if err != nil {
		return 0, err
	}
	t.rcu.Synchronize()
	return moved, nil
}

func (t *Table) transfer(id ID, to Space) (ID, error) {
	slot := id.Slot()
	cpu := t.rcu.CPU()
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(cpu))
	s, v := t.judge(id, Transfer)
	if v != OK {
		return 0, t.explain(v, id, Transfer)
	}
	c := &t.cold[slot]
	if c.generation.Load() >= lastGeneration {
		return 0, ErrFull
	}
	if err := t.consent(slot, s); err != nil {
		return 0, err
	}
	generation := c.generation.Add(1)
	if generation > lastGeneration { // others have taken the last ones
		return 0, ErrFull
	}
	moved := makeID(slot, t.tags.tag(slot, generation))
	for {
		w := t.at(slot).word.Load()
		is, s := split(w, slot)
		switch {
		case is != id || !s.active():
			return 0, ErrRevoked
		case s.perms()&Transfer == 0: // narrowed meanwhile
			return 0, &PermissionError{Transfer}
		}
		if t.change(slot, w, join(moved, s&^(pending|dirty))) {
			break
		}
	}
	c.space.Store(uint32(to))
	t.wake(slot)
	t.tally(cpu, transferred, 1)
	return moved, nil
}

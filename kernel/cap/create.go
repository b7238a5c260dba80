package cap

// Making entries.
//
// An entry is filled by who took its slot, before anything links to it: cold half, object, then the
// word, NEW, with the next generation's tag. It is published by the CAS from that word to the same
// one without INACTIVE, which is the linearization point. Until then no check passes.

// Options are what a new capability can have beyond its permissions.
type Options struct {
	Formula *Formula // nil: none
	Gas     int64    // what its account starts with, drawn from the parent's; 0: no account
}

// Create makes a root: a capability that depends on no other, for an object. The kernel alone may
// hand it out. cpu is the caller's CPU, from whose node the memory comes.
//
// Errors: *ExceedsError for permissions that don't exist, ErrObject, ErrFormula, ErrGas, ErrFull.
func (t *Table) Create(cpu int, s Space, o Object, p Perm, opt Options) (ID, error) {
	if excess := p &^ AllPerms; excess != 0 {
		return 0, &ExceedsError{excess}
	}
	if !t.hold(o) {
		return 0, ErrObject
	}
	slot, ok := t.take(cpu)
	if !ok {
		t.unhold(o)
		return 0, ErrFull
	}
	id, word, err := t.fill(slot, 0, s, o, p, false, opt)
	if err != nil {
		t.give(cpu, slot)
		t.unhold(o)
		return 0, err
	}
	t.at(slot).word.CompareAndSwap(word, word^uint64(inactive))
	t.tally(cpu, created, 1)
	return id, nil
}

// fill makes a NEW entry of a slot and returns its identifier and its word. After an error the slot
// is as it was.
//
// Preconditions: the caller took the slot, in the section that found the parent active, if there is
// one. inherit: the parent is SLOW, so the child must be.
func (t *Table) fill(slot, parent uint32, s Space, o Object, p Perm, inherit bool, opt Options) (ID, uint64, error) {
	c := &t.cold[slot]
	own32(&c.parent, parent)
	own32(&c.first, 0)
	own32(&c.next, 0)
	own32(&c.space, uint32(s))
	own32(&c.tombs, 0)
	own32(&c.sweepAt, 0)
	if v := t.attach(slot, parent, opt); v != OK {
		return 0, 0, v
	}
	generation := c.generation.Load() + 1
	own64(&c.generation, generation)
	id := makeID(slot, t.tags.tag(slot, generation))
	word := join(id, lacking(p, inherit || opt.Formula != nil || opt.Gas != 0))
	e := t.at(slot) // late, so that readers of its neighbours take the line away seldom
	own64(&e.object, uint64(o))
	own64(&e.word, word)
	return id, word, nil
}

package cap

// For the gate: its fast path, messages that carry capabilities, and the operator.

// Grants is the fast path of Admit, and inlined: it returns the object if id is a capability of this
// type with all of the needed permissions, and no formula or account to ask. 0 says nothing: Admit does.
//
// Preconditions: as Admit; need is not beyond AllPerms.
func (t *Table) Grants(id ID, typ Type, need Perm) Object {
	i := uintptr(id & slotMask)
	if i >= uintptr(t.limit.Load()) {
		return 0
	}
	e := t.entry(i)
	o := Object(e.object.Load())
	if (e.word.Load()^uint64(id))&(uint64(need)|decisive) != 0 || o.Type() != typ {
		return 0
	}
	return o
}

// Carry is Transfer without the wait: calls that the old identifier admitted may still be under way
// when it returns. It is for calls that hold a grace period up themselves, and whose caller waits
// for one afterwards.
//
// Errors: as Transfer.
func (t *Table) Carry(id ID, to Space) (ID, error) {
	if t.insiders.inside() {
		return 0, ErrInside
	}
	return t.transfer(id, to)
}

// Generation returns the number of the identifier among those that its slot had: with the slot it
// names a capability to people, and gives no right. 0: it never was one.
func (t *Table) Generation(id ID) uint64 {
	slot := id.Slot()
	if slot >= t.limit.Load() {
		return 0
	}
	if g := t.tags.generation(slot, id.tag()); g <= t.cold[slot].generation.Load() {
		return g
	}
	return 0
}

package cap

// For the gate: messages that carry capabilities, and the operator.

// Carry is Transfer without the wait: calls that the old identifier admitted may still be under way
// when it returns. It is for calls that hold a grace period up themselves, and whose caller waits
// for one afterwards. Functions are asked before, by Agree.
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

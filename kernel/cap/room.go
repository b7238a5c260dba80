package cap

// Room in a full table. Up to an eighth of a list of children can be tombs (tree.go), whose slots come
// back when the list is swept, which a table that is full can't wait for: so who finds no slot sweeps
// all lists.
//
// He doesn't wait for the grace period after which the slots are free, since he may be in a read
// section, or in a call that a Revoke waits for. He gets ErrFull, and who tries again when it has
// passed gets one of them.
//
// A list may be swept in a read section in which its parent was seen active: then the parent's slot has
// no other tenant before the section ends, nor does its owner reclaim what is in the list, for which he
// waits for a grace period after he made it REVOKED.
//
// Words and writers: sweeping, by CAS who sweeps all lists, and cleared when the slots are free: so
// those who try again and again on a large table that is full don't each search it.
//
// Progress: lock-free, in the number of slots.

// makeRoom frees the slots of tombs, a grace period later.
func (t *Table) makeRoom() {
	freed := t.count(reclaimed) // before what it is compared with
	if t.count(died) == freed || !t.sweeping.CompareAndSwap(false, true) {
		return
	}
	var out list
	limit := t.limit.Load()
	for from := uint32(0); from < limit; from += chunk {
		t.sweepParents(from, from+chunk, &out)
	}
	swept := out
	t.rcu.Call(func() {
		t.unlinked(t.rcu.CPU(), swept)
		t.sweeping.Store(false)
	})
}

// sweepParents sweeps the lists of the active entries in a range of slots.
func (t *Table) sweepParents(from, to uint32, out *list) {
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(t.rcu.CPU()))
	for slot := from; slot < to; slot++ {
		tombs := &t.cold[slot].tombs
		n := tombs.Load()
		if n == 0 {
			continue
		}
		if _, s := split(t.at(slot).word.Load(), slot); s.active() && tombs.CompareAndSwap(n, 0) {
			t.sweep(slot, out)
		}
	}
}

package cap

// Asking: the fast path.
//
// Invariant: a word that has the identifier's tag, and neither INACTIVE nor SLOW nor a bit of the
// asked permissions, belongs to an active capability that has them all and no formula (word.go).
//
// Writes nothing. Linearization: at the load of the word. Progress: wait-free. There is nothing to
// reclaim: the load is of memory that is there for ever, and an identifier of an earlier tenant
// has another tag.

// Check reports whether id is a capability that has all of the needed permissions, and whose
// formula agrees, if it has one. Where that can matter, it counts as a use.
//
// World: both; but below the runtime only where no formula is a user's function: see Look.
func (t *Table) Check(id ID, need Perm) bool {
	if slot := id.Slot(); slot < t.limit.Load() && need <= AllPerms {
		if (t.at(slot).word.Load()^uint64(id))&(uint64(need)|decisive) == 0 {
			return true
		}
	}
	return t.checkSlow(id, need)
}

// checkSlow is the rest of Check, for all that isn't plainly allowed.
func (t *Table) checkSlow(id ID, need Perm) bool {
	return t.verdict(t.spread(id.Slot()), id, need) == OK
}

// CheckAll checks each identifier for the needed permissions, writes the outcomes to ok, which is
// at least as long, and returns how many passed. The checks are independent of each other: it is
// no snapshot.
func (t *Table) CheckAll(ids []ID, need Perm, ok []bool) int {
	passed := 0
	for i, id := range ids {
		ok[i] = t.Check(id, need)
		if ok[i] {
			passed++
		}
	}
	return passed
}

package cap

// Asking: the fast path.
//
// Invariant: a word that has the identifier's tag, and neither INACTIVE nor SLOW nor a bit of the
// asked permissions, belongs to an active capability that has them all and no formula (word.go).
//
// Writes nothing. Linearization: at the load of the word. Progress: wait-free. There is nothing to
// reclaim: the load is of memory that is there for ever, and an identifier of an earlier tenant
// has another tag.

// Holds is the bare check, and inlined: it reports whether id is a capability that has all of the
// needed permissions and no formula or account to ask. false says nothing: Check does. (The
// compiler inlines no function that has both a path like this one and a call beside it, or this
// would be Check. Where it matters write Holds(id, p) || Check(id, p).) For who needs the object as
// well there is Find.
//
// World: both.
func (t *Table) Holds(id ID, need Perm) bool {
	i := uintptr(id & slotMask)
	return i < uintptr(t.limit.Load()) && need <= AllPerms &&
		(t.entry(i).word.Load()^uint64(id))&(uint64(need)|decisive) == 0
}

// Check reports whether id is a capability that has all of the needed permissions, and whose
// formula agrees, if it has one. Where that can matter, it counts as a use.
//
// World: above the runtime; below it Holds, or Look.
func (t *Table) Check(id ID, need Perm) bool {
	return t.Holds(id, need) || t.verdict(t.rcu.CPU(), id, need) == OK
}

// CheckAll checks each identifier for the needed permissions, writes the outcomes to ok, which is
// at least as long, and returns how many passed. The checks are independent of each other: it is
// no snapshot.
func (t *Table) CheckAll(ids []ID, need Perm, ok []bool) int {
	passed := 0
	ok = ok[:len(ids)]
	for i, id := range ids {
		ok[i] = t.Holds(id, need) || t.Check(id, need) // loads of several entries are under way at a time
		if ok[i] {
			passed++
		}
	}
	return passed
}

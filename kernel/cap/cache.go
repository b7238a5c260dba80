package cap

// recall looks into the CPU's cache.
func (t *Table) recall(cpu int, id ID, need Perm) (Object, bool) { return 0, false }

// remember offers what Lookup found to the CPU's cache.
func (t *Table) remember(cpu int, id ID, word, object uint64) {}

// invalidate keeps the caches from answering for a slot, after its word has changed.
func (t *Table) invalidate(slot uint32) {}

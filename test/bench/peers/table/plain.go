package table

// plain is a Go map without a lock: the floor of what hashing costs. Nobody may write while it is
// read.
type plain struct {
	m map[uint64]*entry
}

func buildPlain(n int) (Table, []uint64) {
	t := &plain{m: make(map[uint64]*entry, n)}
	ids := Fill(n, func(id uint64) { t.m[id] = newEntry(id) })
	return t, ids
}

func (t *plain) Read(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for i := range n {
		if e := t.m[seq[(from+i)&mask]]; e != nil && e.allows() {
			passed += 1 + int(e.step)
		}
	}
	return passed
}

func (t *plain) Chase(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for range n {
		if e := t.m[seq[from&mask]]; e != nil && e.allows() {
			passed++
			from += 1 + int(e.step)
		}
	}
	return passed
}

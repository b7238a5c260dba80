package table

import "sync/atomic"

// slots is an array of pointers by slot; the entry found says whether it is the one asked for.
type slots struct {
	p []atomic.Pointer[entry]
}

func buildSlots(n int) (Table, []uint64) {
	t := &slots{p: make([]atomic.Pointer[entry], n)}
	ids := Fill(n, func(id uint64) { t.p[slot(id)].Store(newEntry(id)) })
	return t, ids
}

func (t *slots) get(id uint64) *entry {
	if s := slot(id); s < uint64(len(t.p)) {
		if e := t.p[s].Load(); e != nil && e.id == id {
			return e
		}
	}
	return nil
}

func (t *slots) Read(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for i := range n {
		if e := t.get(seq[(from+i)&mask]); e != nil && e.allows() {
			passed += 1 + int(e.step)
		}
	}
	return passed
}

func (t *slots) Chase(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for range n {
		if e := t.get(seq[from&mask]); e != nil && e.allows() {
			passed++
			from += 1 + int(e.step)
		}
	}
	return passed
}

func (t *slots) Replace(_ int, old uint64) uint64 {
	id := renamed(old)
	t.p[slot(old)].Store(nil)
	t.p[slot(old)].Store(newEntry(id))
	return id
}

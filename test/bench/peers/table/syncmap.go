package table

import "sync"

// syncMap is the standard library's.
type syncMap struct {
	m sync.Map
}

func buildSync(n int) (Table, []uint64) {
	t := &syncMap{}
	ids := Fill(n, func(id uint64) { t.m.Store(id, newEntry(id)) })
	return t, ids
}

func (t *syncMap) get(id uint64) *entry {
	if v, ok := t.m.Load(id); ok {
		return v.(*entry)
	}
	return nil
}

func (t *syncMap) Read(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for i := range n {
		if e := t.get(seq[(from+i)&mask]); e != nil && e.allows() {
			passed += 1 + int(e.step)
		}
	}
	return passed
}

func (t *syncMap) Chase(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for range n {
		if e := t.get(seq[from&mask]); e != nil && e.allows() {
			passed++
			from += 1 + int(e.step)
		}
	}
	return passed
}

func (t *syncMap) Replace(_ int, old uint64) uint64 {
	id := renamed(old)
	t.m.Delete(old)
	t.m.Store(id, newEntry(id))
	return id
}

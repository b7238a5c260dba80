package table

import "github.com/puzpuzpuz/xsync/v4"

// xsyncMap is xsync's concurrent map, whose readers take no lock, sized for its entries.
type xsyncMap struct {
	m *xsync.Map[uint64, *entry]
}

func buildXsync(n int) (Table, []uint64) {
	t := &xsyncMap{m: xsync.NewMap[uint64, *entry](xsync.WithPresize(n))}
	ids := Fill(n, func(id uint64) { t.m.Store(id, newEntry(id)) })
	return t, ids
}

func (t *xsyncMap) Read(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for i := range n {
		if e, _ := t.m.Load(seq[(from+i)&mask]); e != nil && e.allows() {
			passed += 1 + int(e.step)
		}
	}
	return passed
}

func (t *xsyncMap) Chase(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for range n {
		if e, _ := t.m.Load(seq[from&mask]); e != nil && e.allows() {
			passed++
			from += 1 + int(e.step)
		}
	}
	return passed
}

func (t *xsyncMap) Replace(_ int, old uint64) uint64 {
	id := renamed(old)
	t.m.Delete(old)
	t.m.Store(id, newEntry(id))
	return id
}

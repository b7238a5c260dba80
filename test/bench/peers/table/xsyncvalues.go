package table

import "github.com/puzpuzpuz/xsync/v4"

// xsyncValues holds permissions and object in the map's own entries: one load less than xsyncMap,
// and a change of permissions has to store the entry anew.
type xsyncValues struct {
	m *xsync.Map[uint64, value]
}

type value struct {
	word, step uint64
}

func (v value) allows() bool { return v.word&need == need }

func buildXsyncValues(n int) (Table, []uint64) {
	t := &xsyncValues{m: xsync.NewMap[uint64, value](xsync.WithPresize(n))}
	ids := Fill(n, func(id uint64) { t.m.Store(id, value{word: active | all}) })
	return t, ids
}

func (t *xsyncValues) Read(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for i := range n {
		if v, ok := t.m.Load(seq[(from+i)&mask]); ok && v.allows() {
			passed += 1 + int(v.step)
		}
	}
	return passed
}

func (t *xsyncValues) Chase(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for range n {
		if v, ok := t.m.Load(seq[from&mask]); ok && v.allows() {
			passed++
			from += 1 + int(v.step)
		}
	}
	return passed
}

func (t *xsyncValues) Replace(_ int, old uint64) uint64 {
	id := renamed(old)
	t.m.Delete(old)
	t.m.Store(id, value{word: active | all})
	return id
}

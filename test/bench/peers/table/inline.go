package table

import "sync/atomic"

// inline is an array of the entries themselves, a line each.
type inline struct {
	e []record
}

// record is entry with an identifier that changes under readers.
type record struct {
	id   atomic.Uint64
	word atomic.Uint64
	step uint64
	_    [5]uint64
}

func buildInline(n int) (Table, []uint64) {
	t := &inline{e: make([]record, n)}
	ids := Fill(n, func(id uint64) { t.put(id) })
	return t, ids
}

func (t *inline) put(id uint64) {
	r := &t.e[slot(id)]
	r.word.Store(active | all)
	r.id.Store(id)
}

// get loads the word before the identifier, so that the word of another than the one asked for is
// never taken for its.
func (t *inline) get(id uint64) *record {
	if s := slot(id); s < uint64(len(t.e)) {
		r := &t.e[s]
		if w := r.word.Load(); r.id.Load() == id && w&need == need {
			return r
		}
	}
	return nil
}

func (t *inline) Read(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for i := range n {
		if r := t.get(seq[(from+i)&mask]); r != nil {
			passed += 1 + int(r.step)
		}
	}
	return passed
}

func (t *inline) Chase(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for range n {
		if r := t.get(seq[from&mask]); r != nil {
			passed++
			from += 1 + int(r.step)
		}
	}
	return passed
}

func (t *inline) Replace(_ int, old uint64) uint64 {
	id := renamed(old)
	r := &t.e[slot(old)]
	r.word.Store(0)
	r.id.Store(0)
	t.put(id)
	return id
}

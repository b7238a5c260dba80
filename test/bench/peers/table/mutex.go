package table

import "sync"

// mutexMap is a Go map under a Mutex.
type mutexMap struct {
	mu sync.Mutex
	m  map[uint64]*entry
}

func buildMutex(n int) (Table, []uint64) {
	t := &mutexMap{m: make(map[uint64]*entry, n)}
	ids := Fill(n, func(id uint64) { t.m[id] = newEntry(id) })
	return t, ids
}

func (t *mutexMap) get(id uint64) *entry {
	t.mu.Lock()
	e := t.m[id]
	t.mu.Unlock()
	return e
}

func (t *mutexMap) Read(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for i := range n {
		if e := t.get(seq[(from+i)&mask]); e != nil && e.allows() {
			passed += 1 + int(e.step)
		}
	}
	return passed
}

func (t *mutexMap) Chase(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for range n {
		if e := t.get(seq[from&mask]); e != nil && e.allows() {
			passed++
			from += 1 + int(e.step)
		}
	}
	return passed
}

func (t *mutexMap) Replace(_ int, old uint64) uint64 {
	id := renamed(old)
	t.mu.Lock()
	delete(t.m, old)
	t.mu.Unlock()
	e := newEntry(id)
	t.mu.Lock()
	t.m[id] = e
	t.mu.Unlock()
	return id
}

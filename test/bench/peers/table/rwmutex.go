package table

import "sync"

// rwMutexMap is a Go map under an RWMutex.
type rwMutexMap struct {
	mu sync.RWMutex
	m  map[uint64]*entry
}

func buildRWMutex(n int) (Table, []uint64) {
	t := &rwMutexMap{m: make(map[uint64]*entry, n)}
	ids := Fill(n, func(id uint64) { t.m[id] = newEntry(id) })
	return t, ids
}

func (t *rwMutexMap) get(id uint64) *entry {
	t.mu.RLock()
	e := t.m[id]
	t.mu.RUnlock()
	return e
}

func (t *rwMutexMap) Read(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for i := range n {
		if e := t.get(seq[(from+i)&mask]); e != nil && e.allows() {
			passed += 1 + int(e.step)
		}
	}
	return passed
}

func (t *rwMutexMap) Chase(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for range n {
		if e := t.get(seq[from&mask]); e != nil && e.allows() {
			passed++
			from += 1 + int(e.step)
		}
	}
	return passed
}

func (t *rwMutexMap) Replace(_ int, old uint64) uint64 {
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

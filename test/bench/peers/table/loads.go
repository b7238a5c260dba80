package table

import (
	"sync/atomic"
	"unsafe"
)

// Loads is the name of the control: what it costs on two CPUs is the machine's doing.
const Loads = "loads of 16 bytes"

// Control returns it.
func Control() []Kind { return []Kind{{Name: Loads, Build: buildLoads, holds: true}} }

// loads is no table: an array that nobody writes, as large as cap's index and in the same kind of memory, of whose
// elements both words are loaded and nothing is asked.
type loads struct {
	region
	e []pair
}

type pair struct{ word, object atomic.Uint64 }

func buildLoads(n int) (Table, []uint64) {
	t := new(loads)
	m, err := t.reserve(n * int(unsafe.Sizeof(pair{})))
	if err != nil {
		panic(err)
	}
	t.e = unsafe.Slice((*pair)(unsafe.Pointer(unsafe.SliceData(m))), n)
	ids := Fill(n, func(id uint64) { t.e[slot(id)].word.Store(1) })
	return t, ids
}

func (t *loads) Read(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for i := range n {
		if s := slot(seq[(from+i)&mask]); s < uint64(len(t.e)) {
			e := &t.e[s]
			passed += int(e.object.Load()) + int(e.word.Load())
		}
	}
	return passed
}

func (t *loads) Chase(_ int, seq []uint64, from, n int) (passed int) {
	mask := len(seq) - 1
	for range n {
		if s := slot(seq[from&mask]); s < uint64(len(t.e)) {
			e := &t.e[s]
			passed += int(e.word.Load())
			from += 1 + int(e.object.Load())
		}
	}
	return passed
}

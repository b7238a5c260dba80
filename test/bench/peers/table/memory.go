package table

import (
	"runtime"
	"unsafe"
)

// Memory is what a full table takes for each entry, in bytes.
type Memory struct {
	Name         string
	Index, Total float64 // the index is all but what it points to
}

// entryBytes is what the index of a peer points to, on the heap by itself.
const entryBytes = float64(unsafe.Sizeof(entry{}))

// Measure fills each table with n entries and weighs it.
func Measure(n int) (all []Memory) {
	for _, k := range Peers() {
		before := heap()
		t, ids := k.Build(n)
		with := heap() - before - int64(len(ids)*8)
		m := Memory{Name: k.Name, Total: float64(with) / float64(n)}
		m.Index = m.Total
		if !k.holds {
			m.Index -= entryBytes
		}
		all = append(all, m)
		runtime.KeepAlive(t)
		runtime.KeepAlive(ids)
	}
	return append(all, measureOwn(n))
}

// heap returns the bytes of live objects.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools held at the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

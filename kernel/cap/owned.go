//go:build !race

package cap

import (
	"sync/atomic"
	"unsafe"
)

// own32 and own64 store to a word of a slot that nothing links to yet, which is its owner's alone.
// Who comes with an old identifier, and the scans over all slots, may read it meanwhile, and see the
// old value or the new one, never a torn one (The Go Memory Model, "Implementation Restrictions for
// Programs Containing Data Races"); neither passes a check, or says anything of the new tenant. Who
// finds the slot by a link or the identifier does so after the CAS that linked or published it, and
// so after these stores. Go's atomic store is an XCHG, as dear as that CAS, and a slot has nine such
// words. (As in kernel/lockfree, owned.go.)

func own32(word *atomic.Uint32, v uint32) { *(*uint32)(unsafe.Pointer(word)) = v }

func own64(word *atomic.Uint64, v uint64) { *(*uint64)(unsafe.Pointer(word)) = v }

package rcu

import (
	"sync/atomic"
	"unsafe"
)

// Hazard pointers to Go objects, for objects that are used again by hand; all others are better left
// to the collector. A slot holds the address as a number, which keeps nothing alive and is only
// compared: the reader's own pointer keeps the object alive, and the collector does not move it.

// ProtectPointer is Hazard.Protect for a pointer.
func ProtectPointer[T any](s *Hazard, src *atomic.Pointer[T]) *T {
	for {
		p := src.Load()
		s.Set(uint64(uintptr(unsafe.Pointer(p))))
		if src.Load() == p {
			return p
		}
	}
}

// RetirePointer is Hazards.Retire for a pointer.
func RetirePointer[T any](h *Hazards, p *T, free func(*T)) {
	h.Retire(uint64(uintptr(unsafe.Pointer(p))), func(uint64) { free(p) })
}

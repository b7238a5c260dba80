package linux

import (
	"sync/atomic"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/lockfree"
	"pdac/kernel/vm"
)

// extent is the part of a virtual array that has memory behind it: it grows in
// steps and never shrinks. Two CPUs may grow it at once: backing the same pages
// twice is harmless, and ready only rises.
type extent struct {
	base  uintptr // of the array
	size  uintptr // of a record
	limit uint32  // records in the array
	ready atomic.Uint32
}

// growStep is how many bytes an extent gains at least.
const growStep = 16 << 10

func (e *extent) init(base unsafe.Pointer, size uintptr, limit int) {
	e.base, e.size, e.limit = uintptr(base), size, uint32(min(limit, 1<<31))
	e.ready.Store(0)
}

// grow makes records below n usable; false if the array ends before, or there is
// no memory.
func (e *extent) grow(cpu int, n uint32) bool {
	ready := e.ready.Load()
	if n <= ready {
		return true
	}
	if n > e.limit {
		return false
	}
	n = min(e.limit, max(n, ready+uint32(growStep/e.size)))
	if populate != nil && !populate(cpu, uint64(e.base+uintptr(ready)*e.size), uint64(uintptr(n-ready)*e.size)) {
		return false
	}
	for ready < n && !e.ready.CompareAndSwap(ready, n) {
		ready = e.ready.Load()
	}
	return true
}

// populate is Files.Populate. Written at boot only.
var populate func(cpu int, va, n uint64) bool

// pool hands out the numbers of a virtual array's records, from 1: 0 means none.
// Records are type-stable; a free one waits on a stack whose links lie in an
// array of their own.
type pool struct {
	records extent
	links   extent
	next    []uint32
	free    lockfree.Stack
	fresh   atomic.Uint32 // numbers below were handed out at least once
}

func (p *pool) init(base unsafe.Pointer, size uintptr, limit int, next []uint32) {
	p.records.init(base, size, min(limit, len(next)))
	p.links.init(unsafe.Pointer(unsafe.SliceData(next)), unsafe.Sizeof(next[0]), len(next))
	p.next = next
	p.free = lockfree.Stack{}
	p.fresh.Store(1)
}

// get returns a free record's number, or 0 when there is none.
func (p *pool) get(cpu int) uint32 {
	if n, ok := p.free.Pop(p.next); ok {
		return n
	}
	for {
		n := p.fresh.Load()
		if !p.records.grow(cpu, n+1) || !p.links.grow(cpu, n+1) {
			return 0
		}
		if p.fresh.CompareAndSwap(n, n+1) {
			return n
		}
	}
}

// put gives a record back. Nobody may refer to it any more.
func (p *pool) put(n uint32) { p.free.Push(p.next, n) }

// spinOn locks l, for locks whose holder may wait for more than a few instructions:
// TLB shootdowns are acknowledged meanwhile.
func spinOn(cpu int, l *lockfree.SpinLock) {
	for l.Held() || !l.TryLock() {
		vm.Poll(cpu)
		asm.Pause()
	}
}

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// shootdowns takes rights and contents away from pages that goroutines on
// other CPUs have just used: what the call has taken none of them may still see
// after it. The stale translation that would show it is in the TLB of a CPU, so
// they wait on their CPU, by spinning.
func shootdowns(w *worker) func() {
	const most = 40 // pages; past 32 the kernel flushes everything
	area := mmap(most*pageSize, protReadWrite)
	return func() {
		n := 1 + w.IntN(most)
		size := uintptr(n) * pageSize
		what := w.IntN(4)
		value := w.Uint64() | 1
		for i := range n {
			*area.word(uintptr(i) * pageSize) = value
		}
		var phase, arrived atomic.Int32
		var wg sync.WaitGroup
		readers := 1 + w.IntN(4)
		for range readers {
			wg.Go(func() {
				for i := range n {
					p := area.word(uintptr(i) * pageSize)
					if v := atomic.AddUint64(p, 0); v != value { // a write: the translation is a writable one
						bad("shootdown: page %d holds %#x, want %#x", i, v, value)
					}
				}
				arrived.Add(1)
				w.beat()
				for spins := 0; phase.Load() == 0; spins++ {
					if spins > 20_000 {
						runtime.Gosched()
					}
				}
				for i := range n {
					probe(area, i, what)
				}
			})
		}
		for arrived.Load() < int32(readers) {
			runtime.Gosched()
		}
		switch what {
		case 0:
			area.protect(size, protNone)
		case 1:
			area.protect(size, protRead)
		case 2:
			area.advise(size, madvDontNeed)
		case 3:
			area.mmapFixed(size, protReadWrite)
		}
		phase.Store(1)
		wg.Wait()
		area.protect(size, protReadWrite)
	}
}

// probe checks that page i of area is as change what has left it.
func probe(area region, i, what int) {
	p := area.word(uintptr(i) * pageSize)
	switch what {
	case 0:
		var v uint64
		if _, faulted := faultAt(func() { v = *p }); !faulted {
			bad("shootdown: page %d can be read after PROT_NONE: %#x", i, v)
		}
	case 1:
		if _, faulted := faultAt(func() { *p = 1 }); !faulted {
			bad("shootdown: page %d can be written after PROT_READ", i)
		}
	default:
		if v := *p; v != 0 {
			bad("shootdown: page %d holds %#x, want 0", i, v)
		}
	}
}

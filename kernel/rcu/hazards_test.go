package rcu

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestProtectHoldsBack(t *testing.T) {
	h := NewHazards(2, 1)
	slot := h.Acquire(1)
	var src atomic.Uint64
	src.Store(7)
	if got := slot.Protect(&src); got != 7 {
		t.Fatalf("Protect is %d, want 7", got)
	}
	src.Store(0)
	freed := map[uint64]int{}
	free := func(ref uint64) { freed[ref]++ }
	h.Retire(7, free)
	h.Retire(8, free)
	h.Scan()
	if freed[7] != 0 || freed[8] != 1 || h.Waiting() != 1 {
		t.Fatalf("freed %v, %d waiting; want 8 only", freed, h.Waiting())
	}
	slot.Clear()
	h.Scan()
	if freed[7] != 1 || h.Waiting() != 0 {
		t.Fatalf("freed %v, %d waiting; want 7 too", freed, h.Waiting())
	}
	h.Release(slot)
}

func TestProtectFollowsTheSource(t *testing.T) {
	h := NewHazards(1, 1)
	slot := h.Acquire(0)
	var src atomic.Uint64
	for want := range uint64(3) {
		src.Store(want)
		if got := slot.Protect(&src); got != want || slot.ref.Load() != want {
			t.Errorf("Protect is %d and publishes %d, want %d", got, slot.ref.Load(), want)
		}
	}
}

func TestSlotsAreUsedAgain(t *testing.T) {
	h := NewHazards(2, 1)
	a, b := h.Acquire(0), h.Acquire(0)
	if a == b {
		t.Fatal("one slot for two holders")
	}
	a.Set(5)
	h.Release(a)
	if c := h.Acquire(0); c != a || c.ref.Load() != 0 {
		t.Error("a released slot is not used again, or not cleared")
	}
	h.Acquire(1)
	if h.Slots() != 3 {
		t.Errorf("%d slots, want 3", h.Slots())
	}
}

// TestRetireIsBounded: R = H*(1+slack) references wait at most, H after a scan, none for ever.
func TestRetireIsBounded(t *testing.T) {
	for _, slots := range []int{1, 2, 7, 50} {
		for _, slack := range []int{1, 3} {
			h := NewHazards(2, slack)
			var held []*Hazard
			for i := range slots {
				held = append(held, h.Acquire(i%2))
			}
			bound := slots * (1 + slack)
			freed := map[uint64]int{}
			scans, last := 0, 0
			const refs = 2000
			for ref := uint64(1); ref <= refs; ref++ {
				held[rand.IntN(slots)].Set(ref) // most slots protect something that is retired
				h.Retire(ref, func(ref uint64) { freed[ref]++ })
				if got := h.Waiting(); got > bound {
					t.Fatalf("%d slots, slack %d: %d references wait, want %d at most", slots, slack, got, bound)
				}
				if len(freed) != last {
					last = len(freed)
					scans++
					if got := h.Waiting(); got > slots {
						t.Fatalf("%d slots, slack %d: %d references wait after a scan", slots, slack, got)
					}
				}
			}
			if most := refs / (slack * slots); scans > most+1 {
				t.Errorf("%d slots, slack %d: %d scans, want %d at most", slots, slack, scans, most)
			}
			h.Scan()
			if got := h.Waiting(); got > slots {
				t.Errorf("%d slots, slack %d: %d references wait after Scan", slots, slack, got)
			}
			for _, s := range held {
				h.Release(s)
			}
			h.Scan()
			for ref := uint64(1); ref <= refs; ref++ {
				if freed[ref] != 1 {
					t.Fatalf("%d slots, slack %d: reference %d was freed %d times", slots, slack, ref, freed[ref])
				}
			}
		}
	}
}

func TestPointers(t *testing.T) {
	h := NewHazards(1, 1)
	slot := h.Acquire(0)
	var src atomic.Pointer[element]
	if ProtectPointer(slot, &src) != nil {
		t.Error("protects nil")
	}
	e := new(element)
	src.Store(e)
	if ProtectPointer(slot, &src) != e {
		t.Error("another pointer")
	}
	src.Store(nil)
	var freed *element
	RetirePointer(h, e, func(e *element) { freed = e })
	h.Scan()
	if freed != nil {
		t.Fatal("freed while protected")
	}
	h.Release(slot)
	h.Scan()
	if freed != e {
		t.Fatal("not freed")
	}
}

func TestNewHazardsOutOfRange(t *testing.T) {
	wantPanic(t, "NewHazards", func() { NewHazards(0, 1) })
	wantPanic(t, "NewHazards", func() { NewHazards(1, 0) })
}

// hazardTorture replaces references in a few words while readers use them, and returns how many
// uses after free readers saw, and the most references that waited.
func hazardTorture(protect func(*Hazard, *atomic.Uint64) uint64, enough func(bad, updates uint64) bool) (bad, updates uint64, h *Hazards, tooMany int) {
	const refs, sources, readers, writers = 1 << 10, 4, 6, 2
	h = NewHazards(2, 1)
	var (
		src   [sources]atomic.Uint64
		alive [refs + 1]atomic.Bool
		mu    sync.Mutex
		pool  []uint64
		wrong atomic.Uint64
		n     atomic.Uint64
		over  atomic.Int64
		stop  atomic.Bool
		wg    sync.WaitGroup
	)
	for ref := uint64(1); ref <= refs; ref++ {
		pool = append(pool, ref)
	}
	free := func(ref uint64) {
		alive[ref].Store(false)
		mu.Lock()
		pool = append(pool, ref)
		mu.Unlock()
	}
	for range writers {
		wg.Go(func() {
			for !stop.Load() {
				mu.Lock()
				if len(pool) == 0 {
					mu.Unlock()
					over.Store(refs) // everything waits: beyond any bound
					return
				}
				at := rand.IntN(len(pool))
				ref := pool[at]
				pool[at] = pool[len(pool)-1]
				pool = pool[:len(pool)-1]
				mu.Unlock()
				alive[ref].Store(true)
				if old := src[rand.IntN(sources)].Swap(ref); old != 0 {
					h.Retire(old, free)
				}
				slots := h.Slots()
				if got := h.Waiting(); got > (1+writers)*(2*slots+writers*(slots+1)) {
					over.Store(int64(got))
				}
				n.Add(1)
			}
		})
	}
	for r := range readers {
		wg.Go(func() {
			for !stop.Load() {
				slot := h.Acquire(r % 2)
				for range 10 {
					ref := protect(slot, &src[rand.IntN(sources)])
					for range rand.IntN(4) {
						if ref != 0 && !alive[ref].Load() {
							wrong.Add(1)
						}
						runtime.Gosched()
					}
				}
				h.Release(slot)
			}
		})
	}
	for !enough(wrong.Load(), n.Load()) {
		time.Sleep(5 * time.Millisecond)
	}
	stop.Store(true)
	wg.Wait()
	return wrong.Load(), n.Load(), h, int(over.Load())
}

func TestHazardTorture(t *testing.T) {
	end := time.Now().Add(duration(t) / 3)
	bad, updates, h, tooMany := hazardTorture((*Hazard).Protect, func(_, _ uint64) bool { return time.Now().After(end) })
	t.Logf("%d updates, %d slots", updates, h.Slots())
	if bad != 0 {
		t.Errorf("%d uses after free", bad)
	}
	if tooMany != 0 {
		t.Errorf("%d references waited, beyond the bound", tooMany)
	}
	if h.Slots() > 6 {
		t.Errorf("%d slots for 6 readers", h.Slots())
	}
	h.Scan()
	if h.Waiting() != 0 {
		t.Errorf("%d references are never freed", h.Waiting())
	}
}

func TestHazardTortureFindsBrokenReaders(t *testing.T) {
	for name, protect := range map[string]func(*Hazard, *atomic.Uint64) uint64{
		"unpublished": func(_ *Hazard, src *atomic.Uint64) uint64 { return src.Load() },
		"not looked at again": func(s *Hazard, src *atomic.Uint64) uint64 {
			ref := src.Load()
			runtime.Gosched()
			s.Set(ref)
			return ref
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad, updates, _, _ := hazardTorture(protect, func(bad, n uint64) bool { return bad > 0 || n > 20_000_000 })
			t.Logf("%d uses after free in %d updates", bad, updates)
			if bad == 0 {
				t.Error("the torture did not find it")
			}
		})
	}
}

func BenchmarkHazard(b *testing.B) {
	h := NewHazards(2, 1)
	var src atomic.Uint64
	src.Store(1)
	slot := h.Acquire(0)
	b.Run("Protect", func(b *testing.B) {
		for b.Loop() {
			slot.Protect(&src)
			slot.Clear()
		}
	})
	b.Run("Acquire", func(b *testing.B) {
		for b.Loop() {
			h.Release(h.Acquire(0))
		}
	})
	b.Run("Retire", func(b *testing.B) {
		free := func(uint64) {}
		for b.Loop() {
			h.Retire(2, free)
		}
	})
}

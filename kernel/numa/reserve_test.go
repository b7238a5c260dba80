package numa

import (
	"sync"
	"testing"
)

func TestReserve(t *testing.T) {
	var r Reserve
	if r.Put(1) {
		t.Error("Put into a reserve without room")
	}
	if _, ok := r.Take(); ok {
		t.Error("Take from a reserve without room")
	}
	r.Init(make([]uint32, 3), make([]uint32, 3))
	if _, ok := r.Take(); ok {
		t.Error("Take from an empty reserve")
	}
	for f := range uint32(3) {
		if !r.Put(f) {
			t.Errorf("no room for frame %d", f)
		}
	}
	if r.Put(3) {
		t.Error("Put into a full reserve")
	}
	seen := map[uint32]bool{}
	for range 3 {
		f, ok := r.Take()
		if !ok || f > 2 || seen[f] {
			t.Errorf("Take gives %d, %v after %v", f, ok, seen)
		}
		seen[f] = true
	}
	if _, ok := r.Take(); ok {
		t.Error("a fourth frame")
	}
}

// TestReserveTorture has owners hand frames in and out: each has one owner.
func TestReserveTorture(t *testing.T) {
	const slots, workers, rounds = 8, 6, 20_000
	var r Reserve
	r.Init(make([]uint32, slots), make([]uint32, slots))
	owner := make([]int, workers*slots) // a race here is a frame with two owners
	var wg sync.WaitGroup
	left := make([]int, workers)
	for w := range workers {
		wg.Go(func() {
			var mine []uint32
			for f := range slots {
				mine = append(mine, uint32(w*slots+f))
			}
			for range rounds {
				if n := len(mine); n > 0 && r.Put(mine[n-1]) {
					mine = mine[:n-1]
				}
				if f, ok := r.Take(); ok {
					owner[f]++
					mine = append(mine, f)
				}
			}
			left[w] = len(mine)
		})
	}
	wg.Wait()
	n := 0
	for _, k := range left {
		n += k
	}
	for _, ok := r.Take(); ok; _, ok = r.Take() {
		n++
	}
	if n != workers*slots {
		t.Errorf("%d frames, want %d", n, workers*slots)
	}
}

func TestFramesHas(t *testing.T) {
	f := newFrames(1, 1, span{BlockFrames / 2, 3 * BlockFrames, 0})
	const all = (3*BlockFrames - BlockFrames/2) * FrameSize
	for n := uint64(all); ; n -= FrameSize {
		if !f.Has(0) || !f.Has(n) || f.Has(n+1) {
			t.Fatalf("%d bytes are free: Has says %v, and of one more %v", n, f.Has(n), f.Has(n+1))
		}
		if n == 0 {
			break
		}
		if _, ok := f.Alloc(0, []uint8{0}); !ok {
			t.Fatalf("no frame of %d bytes", n)
		}
	}
}

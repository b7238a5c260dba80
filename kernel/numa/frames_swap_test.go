package numa

import (
	"sync"
	"testing"
)

// Two frames, two callers, one frame each at most. One caller swaps its frame for the other one all
// the time, on the fast path; so the other caller's search, which passes the slots one by one, may
// see first the one block empty and then the other, though there was no moment without a free
// frame.
func TestFramesNeverRefusesWhileFramesSwap(t *testing.T) {
	for name, c := range map[string]struct {
		cpus, near, far int
		nodes           int
	}{
		"slots": {256, 60, 190, 1},
		"nodes": {256, 60, 190, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFrames(c.cpus, 1, span{0, 1, 0}, span{BlockFrames, BlockFrames + 1, uint8(c.nodes - 1)})
			order := []uint8{0, 1}[:c.nodes]
			reverse := []uint8{1, 0}[2-c.nodes:]
			done := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				defer close(done)
				mine, ok := f.Alloc(c.near, order)
				if !ok {
					t.Error("no frame to begin with")
					return
				}
				for n := range rounds(30000) {
					f.Free(0, mine)
					from, where := c.near, order
					if n%2 == 0 {
						from, where = c.far, reverse
					}
					if mine, ok = f.Alloc(from, where); !ok {
						t.Errorf("swapper refused in round %d", n)
						return
					}
				}
			})
			for n := 0; ; n++ {
				fr, ok := f.Alloc(0, order)
				if !ok {
					t.Errorf("refused in round %d", n)
				} else {
					f.Free(0, fr)
				}
				select {
				case <-done:
				default:
					if ok {
						continue
					}
				}
				break
			}
			wg.Wait()
			checkQuiet(t, f)
		})
	}
}

package numa

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// stamps record each frame's owner, so that a frame in two hands shows.
type stamps []atomic.Int32

func (s stamps) take(t *testing.T, fr uint32, who int) {
	if !s[fr].CompareAndSwap(0, int32(who+1)) {
		t.Errorf("frame %#x, given to %d, is owned by %d", fr, who, s[fr].Load()-1)
	}
}

func (s stamps) give(t *testing.T, fr uint32, who int) {
	if !s[fr].CompareAndSwap(int32(who+1), 0) {
		t.Errorf("frame %#x of %d is owned by %d", fr, who, s[fr].Load()-1)
	}
}

func rounds(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// givenOut adds up the counts of frames given out, those of blocks out of slots too.
func givenOut(f *Frames) (n uint64) {
	for i := range f.cpus {
		n += f.cpus[i].local.Load() + f.cpus[i].remote.Load()
	}
	for i := range f.blocks {
		n += f.blocks[i].state.Load() / stateTaken
	}
	return n
}

// All calls at once, by callers that change CPU, on memory that runs dry often. Afterwards nothing
// is lost and every block is whole again.
func TestFramesTorture(t *testing.T) {
	const workers, cpus, limit = 8, 4, 6 * BlockFrames
	f := newFrames(cpus, 2, span{0, 3*BlockFrames - 100, 0}, span{3*BlockFrames - 100, limit, 1})
	owner := make(stamps, limit)
	var given atomic.Uint64
	var wg sync.WaitGroup
	for who := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(who), 3))
			var held, huge []uint32
			freeOne := func() {
				i := r.IntN(len(held))
				fr := held[i]
				held[i] = held[len(held)-1]
				held = held[:len(held)-1]
				owner.give(t, fr, who)
				f.Free(r.IntN(cpus), fr)
			}
			for n := range rounds(10000) {
				order := []uint8{uint8(r.IntN(2)), uint8(n % 2)}
				keep := 50 << (n / 1000 % 5) // up to all of the memory
				switch k := r.IntN(40); {
				case k == 0:
					if fr, ok := f.AllocHuge(r.IntN(cpus), order); ok {
						for i := range uint32(BlockFrames) {
							owner.take(t, fr+i, who)
						}
						given.Add(BlockFrames)
						huge = append(huge, fr)
					}
				case k <= 2 && len(huge) > 0:
					fr := huge[len(huge)-1]
					huge = huge[:len(huge)-1]
					for i := range uint32(BlockFrames) {
						if k == 1 {
							owner.give(t, fr+i, who)
						} else {
							held = append(held, fr+i)
						}
					}
					if k == 1 {
						f.FreeHuge(r.IntN(cpus), fr)
					}
				case len(held) > keep:
					for len(held) > keep/2 {
						freeOne()
					}
				case len(held) > 0 && k < 15:
					freeOne()
				default:
					for range 4 {
						if fr, ok := f.Alloc(r.IntN(cpus), order); ok {
							owner.take(t, fr, who)
							given.Add(1)
							held = append(held, fr)
						}
					}
				}
			}
			for len(held) > 0 {
				freeOne()
			}
			for _, fr := range huge {
				for i := range uint32(BlockFrames) {
					owner.give(t, fr+i, who)
				}
				f.FreeHuge(who%cpus, fr)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	checkQuiet(t, f)
	if got, want := givenOut(f), given.Load(); got != want {
		t.Fatalf("%d frames counted as given out, want %d", got, want)
	}
	for node := range 2 {
		if st := f.Stats(node); st.Free != st.Total || st.Huge*BlockFrames*FrameSize != st.Total {
			t.Fatalf("node %d after the last free: %+v", node, st)
		}
	}
}

// Each worker keeps to its share of all the frames. So one is free whenever it asks, and a refusal
// is a lie, however blocks travel meanwhile.
func TestFramesNeverRefusesWithinShare(t *testing.T) {
	const workers = 8
	for _, c := range []struct{ nodes, cpus, share, perBlock int }{
		{1, workers, 70, 20}, // many blocks, which move at each turn
		{2, workers, 70, 20},
		{1, 256, 1, 1}, // a long way from slot to slot, during which frames come home behind it
		{8, 2, 1, 1},   // and from node to node
	} {
		var spans []span
		for b := range workers * c.share / c.perBlock {
			first := uint32(b * BlockFrames)
			spans = append(spans, span{first, first + uint32(c.perBlock), uint8(b % c.nodes)})
		}
		f := newFrames(c.cpus, c.nodes, spans...)
		owner := make(stamps, len(f.blocks)*BlockFrames)
		order := []uint8{0, 1, 2, 3, 4, 5, 6, 7}[:c.nodes]
		var wg sync.WaitGroup
		for who := range workers {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(who), 5))
				var held []uint32
				for n := range rounds(10000) {
					if len(held) < c.share && r.IntN(8) > 0 {
						fr, ok := f.Alloc(r.IntN(c.cpus), order)
						if !ok {
							t.Errorf("%+v: refused at %d of %d frames, round %d", c, len(held), c.share, n)
							return
						}
						owner.take(t, fr, who)
						held = append(held, fr)
					} else if len(held) > 0 {
						i := r.IntN(len(held))
						owner.give(t, held[i], who)
						f.Free(who%c.cpus, held[i])
						held[i] = held[len(held)-1]
						held = held[:len(held)-1]
					}
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		checkQuiet(t, f)
	}
}

// Ranges may come while others allocate: what was added is there at once, and once only.
func TestFramesAddRangeMeanwhile(t *testing.T) {
	const workers, blocks = 4, 64
	f := newFrames(workers, 1, span{blocks * BlockFrames, blocks*BlockFrames + 1, 0}) // sizes the tables
	owner := make(stamps, (blocks+1)*BlockFrames)
	var got atomic.Int32
	var wg sync.WaitGroup
	for who := range workers {
		wg.Go(func() {
			for got.Load() < blocks*BlockFrames+1 {
				if fr, ok := f.Alloc(who, []uint8{0}); ok {
					owner.take(t, fr, who)
					got.Add(1)
				} else {
					runtime.Gosched()
				}
				if n := got.Load(); n%1024 == 0 {
					f.Stats(0)
				}
			}
		})
	}
	for fr, n := uint32(0), uint32(1); fr < blocks*BlockFrames; fr, n = fr+n, n*5%2039 {
		f.AddRange(fr, min(fr+n, blocks*BlockFrames), 0)
	}
	wg.Wait()
	checkQuiet(t, f)
}

func BenchmarkFrames(b *testing.B) {
	for _, workers := range []int{1, 2, 4, 8} {
		bench := func(name string, round func(f *Frames, cpu int)) {
			b.Run(fmt.Sprintf("%s/goroutines=%d", name, workers), func(b *testing.B) {
				f := newFrames(workers, 1, span{0, 64 * BlockFrames, 0})
				var wg sync.WaitGroup
				for cpu := range workers {
					wg.Go(func() {
						for range b.N / workers {
							round(f, cpu)
						}
					})
				}
				wg.Wait()
			})
		}
		order := []uint8{0}
		bench("one", func(f *Frames, cpu int) {
			fr, _ := f.Alloc(cpu, order)
			f.Free(cpu, fr)
		})
		bench("batch1024", func(f *Frames, cpu int) { // an op is 1024 of each
			var held [1024]uint32
			for i := range held {
				held[i], _ = f.Alloc(cpu, order)
			}
			for _, fr := range held {
				f.Free(cpu, fr)
			}
		})
		bench("huge", func(f *Frames, cpu int) {
			if fr, ok := f.AllocHuge(cpu, order); ok {
				f.FreeHuge(cpu, fr)
			}
		})
	}
}

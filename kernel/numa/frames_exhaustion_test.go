package numa

import (
	"math/rand/v2"
	"testing"
)

// Every frame can be handed out to one CPU, also when others have blocks reserved.
func TestFramesExhaustion(t *testing.T) {
	for _, cpus := range []int{1, 64} {
		spans := []span{{7, 20 * BlockFrames, 0}, {20 * BlockFrames, 40*BlockFrames - 3, 1}}
		f := newFrames(cpus, 2, spans...)
		order := []uint8{1, 0}
		for cpu := range cpus {
			fr, ok := f.Alloc(cpu, order)
			if !ok {
				t.Fatal("no frame at the start")
			}
			f.Free(cpu, fr)
		}
		got := drain(t, f, cpus-1, order)
		if len(got) != count(spans) {
			t.Fatalf("%d CPUs: %d frames handed out, want %d", cpus, len(got), count(spans))
		}
		for range 3 { // dry, one frame back, dry again
			for cpu := range cpus {
				if fr, ok := f.Alloc(cpu, order); ok {
					t.Fatalf("frame %#x out of nothing", fr)
				}
				if _, ok := f.AllocHuge(cpu, order); ok {
					t.Fatal("a block out of nothing")
				}
				back := got[rand.IntN(len(got))]
				f.Free(cpu, back)
				checkQuiet(t, f)
				if fr, ok := f.Alloc((cpu+1)%cpus, order); !ok || fr != back {
					t.Fatalf("Alloc = %#x, %v after free of %#x", fr, ok, back)
				}
			}
		}
		checkQuiet(t, f)
	}
}

// A block that another CPU has in its hands, out of every stack and slot, is still found.
func TestFramesInTransitAreFound(t *testing.T) {
	f := newFrames(2, 1, span{0, BlockFrames, 0})
	nd := &f.nodes[0]
	nd.begin()
	if b, ok := nd.stack[wholly].Pop(f.next[wholly]); !ok || b != 0 {
		t.Fatal("the set-up is wrong")
	}
	for i := range BlockFrames {
		if _, ok := f.Alloc(1, []uint8{0}); !ok {
			t.Fatalf("no frame while %d are free", BlockFrames-i)
		}
	}
	if _, ok := f.Alloc(1, []uint8{0}); ok {
		t.Fatal("a frame too many")
	}
}

func TestFramesOrderFallback(t *testing.T) {
	f := newFrames(2, 2, span{0, 600, 0}, span{1024, 1624, 1})
	for i := range 600 {
		if fr, ok := f.Alloc(0, []uint8{0, 1}); !ok || fr >= 600 {
			t.Fatalf("allocation %d: %#x, %v, want one of node 0", i, fr, ok)
		}
	}
	fr, ok := f.Alloc(0, []uint8{0, 1})
	if !ok || fr < 1024 {
		t.Fatalf("node 0 dry: %#x, %v, want one of node 1", fr, ok)
	}
	if _, ok := f.Alloc(1, []uint8{0}); ok {
		t.Fatal("a frame of a dry node")
	}
	if _, ok := f.Alloc(1, nil); ok {
		t.Fatal("a frame of no node")
	}
	if _, ok := f.Alloc(1, []uint8{1}); !ok {
		t.Fatal("node 1 has frames")
	}
	if st := f.Stats(0); st.Local != 600 || st.Remote != 1 || st.Free != 0 {
		t.Fatalf("node 0: %+v", st)
	}
	if st := f.Stats(1); st.Local != 1 || st.Remote != 0 || st.Free != 598*FrameSize {
		t.Fatalf("node 1: %+v", st)
	}
	f.Free(1, fr)
	f.Free(1, 5) // goes home to node 0
	if got, ok := f.Alloc(1, []uint8{0}); !ok || got != 5 {
		t.Fatalf("Alloc = %#x, %v, want the frame that came home", got, ok)
	}
}

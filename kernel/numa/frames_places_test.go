package numa

import "testing"

// alloc takes n frames for cpu from node 0.
func alloc(t *testing.T, f *Frames, cpu, n int) (got []uint32) {
	t.Helper()
	for range n {
		fr, ok := f.Alloc(cpu, []uint8{0})
		if !ok {
			t.Fatalf("no frame after %d of %d", len(got), n)
		}
		got = append(got, fr)
	}
	return got
}

// A block travels in and out of stacks and slots; each test here makes one of the rare turns.

// Two callers that name the same CPU reserve a block each: the slot keeps the later one, and the
// other must not get lost though it has free frames.
func TestFramesPlacesDisplacedFromSlot(t *testing.T) {
	f := newFrames(1, 1, span{0, 2 * BlockFrames, 0})
	nd := &f.nodes[0]
	for range 2 {
		nd.begin()
		b, _, ok := f.claim(nd, wholly)
		if !ok {
			t.Fatal("no block")
		}
		f.install(0, 0, b)
		nd.end()
		f.pick(b, BlockFrames-1)
	}
	checkQuiet(t, f)
	alloc(t, f, 0, 2*BlockFrames-2)
}

// While there are partly free blocks, whole ones stay whole, even one that became whole inside the
// stack of partly free ones and lies on its top.
func TestFramesPlacesWholeAmongPartial(t *testing.T) {
	f := newFrames(2, 1, span{0, 2 * BlockFrames, 0}, span{2 * BlockFrames, 2*BlockFrames + 5, 0})
	got := alloc(t, f, 0, 2*BlockFrames+5)
	f.Free(0, 2*BlockFrames+1)
	for _, fr := range got {
		if fr < BlockFrames {
			f.Free(0, fr)
		}
	}
	checkQuiet(t, f)
	fr, ok := f.Alloc(1, []uint8{0})
	if !ok || fr != 2*BlockFrames+1 {
		t.Fatalf("Alloc = %#x, %v, want the frame of the partly free block", fr, ok)
	}
	if st := f.Stats(0); st.Huge != 1 {
		t.Fatalf("%+v, want a whole block", st)
	}
}

// A block becomes whole in a slot, is used up from there, and has free frames again while the stack
// of whole blocks still lists it. AllocHuge refuses it, and it must not get lost.
func TestFramesPlacesStaleAmongWhole(t *testing.T) {
	f := newFrames(1, 1, span{0, BlockFrames, 0}, span{BlockFrames, BlockFrames + 5, 0})
	got := alloc(t, f, 0, 5+1) // the partly free block first
	f.Free(0, got[5])
	if s := f.blocks[0].state.Load(); s&statePlaces != stateWhole|stateReserved {
		t.Fatalf("state %#x: the set-up is wrong", s)
	}
	alloc(t, f, 0, BlockFrames)
	f.Free(0, got[0])
	alloc(t, f, 0, 1) // displaces block 0 from the slot
	f.Free(0, 7)
	if s := f.blocks[0].state.Load(); s&statePlaces != stateWhole || s&stateCount != 1 {
		t.Fatalf("state %#x: the set-up is wrong", s)
	}
	if fr, ok := f.AllocHuge(0, []uint8{0}); ok {
		t.Fatalf("AllocHuge = %#x with one free frame", fr)
	}
	checkQuiet(t, f)
	if got := alloc(t, f, 0, 1); got[0] != 7 {
		t.Fatalf("Alloc = %#x, want 7", got[0])
	}
}

// A whole block in another CPU's slot: AllocHuge takes it from there, and Alloc, which may take a
// frame of it, leaves it in the slot.
func TestFramesPlacesWholeInSlot(t *testing.T) {
	f := newFrames(2, 1, span{0, BlockFrames, 0})
	f.Free(0, alloc(t, f, 0, 1)[0])
	a, ok := f.AllocHuge(1, []uint8{0})
	if !ok || a != 0 {
		t.Fatalf("AllocHuge = %#x, %v", a, ok)
	}
	checkQuiet(t, f)
	f.FreeHuge(1, a)
	alloc(t, f, 1, 1)
	if held := f.cpus[0].slot[0].Load(); held != 1 {
		t.Fatalf("CPU 0's slot holds %d, want block 0", held)
	}
	checkQuiet(t, f)
	alloc(t, f, 1, BlockFrames-1)
	if st := f.Stats(0); st.Local != 1+BlockFrames+BlockFrames {
		t.Fatalf("%+v", st)
	}
}

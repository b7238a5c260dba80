package numa

import "math/bits"

// Free gives back one frame, to its own node, whichever CPU calls. It panics if the frame is free
// already or is not RAM that was added. The CPU is an argument for the sake of the interface; the
// frame alone says where it goes.
func (f *Frames) Free(cpu int, fr uint32) {
	f.FreeSet(cpu, fr&^(FreeSetFrames-1), 1<<(fr%FreeSetFrames))
}

// FreeSetFrames is how many frames FreeSet can give back at once.
const FreeSetFrames = wordFrames

// FreeSet does what Free does for frame first+i for each bit i of set, with the locked operations
// of one. first is a multiple of FreeSetFrames, set is not 0.
func (f *Frames) FreeSet(_ int, first uint32, set uint64) {
	b := first / BlockFrames
	blk := &f.blocks[b]
	w := first % BlockFrames / wordFrames
	if blk.state.Load()&stateFull == 0 && blk.ram[w].Load()&set != set {
		panic("numa: free of a frame that is not RAM")
	}
	if blk.free[w].Or(set)&set != 0 { // pairs with the CAS in pick
		panic("numa: double free of a frame")
	}
	s := blk.state.Add(uint64(bits.OnesCount64(set)))
	if s&statePlaces == 0 || s&stateCount == BlockFrames {
		f.settle(b)
	}
	if n := &f.nodes[blk.home.Load()]; n.dry.Load()&dryState != dryNo { // pairs with the CAS in search
		n.wet()
	}
}

// settle sees to it that a block with free frames can be found, and a whole one by AllocHuge: (2)
// and (3) in frames.go. Call it after what may break them.
func (f *Frames) settle(b uint32) {
	blk := &f.blocks[b]
	for {
		s := blk.state.Load()
		stack := partly
		switch {
		case s&stateCount == BlockFrames && s&stateWhole == 0:
			stack = wholly
		case s&stateCount != 0 && s&statePlaces == 0:
		default:
			return
		}
		nd := &f.nodes[blk.home.Load()]
		nd.begin() // before the flag: who sees the flag without the block must see the move
		if blk.state.CompareAndSwap(s, s|statePartial<<stack) {
			nd.stack[stack].Push(f.next[stack], b)
		}
		nd.end()
	}
}

package numa

// Free gives back one frame, to its own node, whichever CPU calls. It panics if the frame is free
// already or is not RAM that was added. The CPU is an argument for the sake of the interface; the
// frame alone says where it goes.
func (f *Frames) Free(_ int, fr uint32) {
	b := fr / BlockFrames
	blk := &f.blocks[b]
	w, bit := fr%BlockFrames/wordFrames, uint64(1)<<(fr%wordFrames)
	if blk.state.Load()&stateFull == 0 && blk.ram[w].Load()&bit == 0 {
		panic("numa: free of a frame that is not RAM")
	}
	if blk.free[w].Or(bit)&bit != 0 { // pairs with the CAS in pick
		panic("numa: double free of a frame")
	}
	s := blk.state.Add(1)
	if s&statePlaces == 0 || s&stateCount == BlockFrames {
		f.settle(b)
	}
	f.wet(uint8(blk.home.Load()))
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

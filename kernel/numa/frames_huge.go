package numa

// AllocHuge takes a whole free block from the first node in order that has one and returns its
// first frame, aligned to BlockFrames. False: no node in order had a whole block, or another call
// was about to use the last one. Each of its frames may be freed by Free, or all of them by
// FreeHuge.
func (f *Frames) AllocHuge(cpu int, order []uint8) (uint32, bool) {
	for _, node := range order {
		if b, ok := f.takeWhole(node); ok {
			for w := range f.blocks[b].free {
				f.blocks[b].free[w].Store(0) // ours alone: see (1) in frames.go
			}
			f.account(cpu, node, BlockFrames)
			return b * BlockFrames, true
		}
	}
	return 0, false
}

// takeWhole pops blocks until one is whole, and takes all of its count in one step. The others lost
// frames since they were pushed.
func (f *Frames) takeWhole(node uint8) (uint32, bool) {
	nd := &f.nodes[node]
	for !nd.stack[wholly].Empty() {
		nd.begin()
		b, taken, ok := uint32(0), false, false
		if b, ok = nd.stack[wholly].Pop(f.next[wholly]); ok {
			taken = f.empty(b)
		}
		nd.end()
		if taken {
			return b, true
		}
	}
	return 0, false
}

// empty takes the whole count of a block that the caller popped from the stack of whole blocks, or
// finds the block another place.
func (f *Frames) empty(b uint32) bool {
	state := &f.blocks[b].state
	for {
		s := state.Load()
		whole := s&stateCount == BlockFrames
		rest := s &^ stateWhole
		if whole {
			rest -= BlockFrames
		}
		if state.CompareAndSwap(s, rest) {
			if !whole {
				f.settle(b)
			}
			return whole
		}
	}
}

// FreeHuge gives back all frames of the block that begins at first, which may come from AllocHuge
// or from 512 calls of Alloc. It panics if one of them is free already, or not RAM, or if first is
// not aligned to BlockFrames.
func (f *Frames) FreeHuge(_ int, first uint32) {
	b := first / BlockFrames
	blk := &f.blocks[b]
	if first%BlockFrames != 0 || blk.state.Load()&stateFull == 0 {
		panic("numa: huge free of what is not a block of RAM")
	}
	for w := range blk.free {
		if !blk.free[w].CompareAndSwap(0, ^uint64(0)) {
			panic("numa: huge free of a block with a free frame")
		}
	}
	blk.state.Add(BlockFrames)
	f.settle(b)
	f.nodes[blk.home.Load()].wet()
}

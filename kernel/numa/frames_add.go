package numa

import (
	"math/bits"

	"pdac/kernel/lockfree"
)

// AddRange gives the allocator the frames from first up to, not including, end as free RAM of node.
// It panics if one of them was added before.
//
// A block that ranges of several nodes share belongs to the node that most of its frames came from
// (R. S. Boyer and J S. Moore, "MJRTY", 1991: the exact majority when there is one); on a tie, to
// the first. It does not change nodes while frames of it are in use.
//
// Preconditions: one call at a time, and see the table in frames.go.
func (f *Frames) AddRange(first, end uint32, node uint8) {
	for first < end {
		b, from := first/BlockFrames, first%BlockFrames
		if whole := (end - first) / BlockFrames; from == 0 && whole > 0 {
			f.addWhole(b, whole, node)
			first += whole * BlockFrames
			continue
		}
		n := min(end-first, BlockFrames-from)
		f.addPart(b, from, n, node)
		first += n
	}
	f.nodes[node].wet()
}

// addWhole adds n blocks from b on, and stacks them with the lowest address on top.
func (f *Frames) addWhole(b, n uint32, node uint8) {
	next := f.next[wholly]
	for i := b; i < b+n; i++ {
		blk := &f.blocks[i]
		if blk.state.Load() != 0 {
			panic("numa: frames added twice")
		}
		for w := range blk.free {
			blk.free[w].Store(^uint64(0))
		}
		f.enlist(i, node)
		if i > b {
			lockfree.Link(next, i-1, i)
		}
		blk.state.Store(BlockFrames | stateWhole | stateRAM | stateFull)
	}
	nd := &f.nodes[node]
	nd.frames.Add(uint64(n) * BlockFrames)
	nd.begin()
	nd.stack[wholly].PushList(next, b, b+n-1)
	nd.end()
}

// addPart adds n frames of block b, from the given one on.
func (f *Frames) addPart(b, from, n uint32, node uint8) {
	blk := &f.blocks[b]
	s := blk.state.Load()
	if s&stateFull != 0 {
		panic("numa: frames added twice")
	}
	if s&stateRAM == 0 {
		f.enlist(b, node)
		blk.state.Store(stateRAM)
	}
	f.elect(b, n, node)
	ram := 0
	for w := range blk.ram {
		mask := wordMask(uint32(w), from, from+n)
		if blk.ram[w].Or(mask)&mask != 0 { // pairs with the load in Free
			panic("numa: frames added twice")
		}
		blk.free[w].Or(mask)
		ram += bits.OnesCount64(blk.ram[w].Load())
	}
	if ram == BlockFrames {
		blk.state.Or(stateFull)
	}
	home := uint8(blk.home.Load())
	f.nodes[home].frames.Add(uint64(n))
	blk.state.Add(uint64(n))
	f.settle(b)
	f.nodes[home].wet()
}

// wordMask returns the bits of bitmap word w that stand for frames from..end-1.
func wordMask(w, from, end uint32) uint64 {
	lo := max(from, w*wordFrames)
	hi := min(end, (w+1)*wordFrames)
	if lo >= hi {
		return 0
	}
	return ^uint64(0) >> (wordFrames - (hi - lo)) << (lo % wordFrames)
}

// enlist makes a new block known to walks over all blocks.
func (f *Frames) enlist(b uint32, node uint8) {
	f.blocks[b].home.Store(uint32(node))
	f.blocks[b].older = f.newest.Load()
	f.newest.Store(b + 1) // publishes older
}

// elect counts n votes for node, and moves the block there if that wins and the block is untouched.
func (f *Frames) elect(b, n uint32, node uint8) {
	blk := &f.blocks[b]
	home := blk.home.Load()
	if home == uint32(node) {
		blk.vote += int32(n)
		return
	}
	blk.vote -= int32(n)
	if blk.vote >= 0 {
		return
	}
	ram := uint64(0)
	for w := range blk.ram {
		ram += uint64(bits.OnesCount64(blk.ram[w].Load()))
	}
	if s := blk.state.Load(); s&stateCount != ram || s&stateReserved != 0 {
		return
	}
	blk.vote = -blk.vote
	blk.home.Store(uint32(node))
	f.nodes[home].frames.Add(-ram)
	f.nodes[node].frames.Add(ram)
	f.rehome(uint8(home))
}

// rehome moves blocks that have left node from its stack to their new home's. It is called for each
// block at the border of two nodes, of which there are few.
func (f *Frames) rehome(node uint8) {
	nd := &f.nodes[node]
	nd.begin()
	b, ok := nd.stack[partly].PopAll()
	for ok {
		below, more := lockfree.Next(f.next[partly], b)
		home := &f.nodes[f.blocks[b].home.Load()]
		home.begin()
		home.stack[partly].Push(f.next[partly], b)
		home.end()
		b, ok = below, more
	}
	nd.end()
}

// walk returns the block that was added before the one that place names, and the place to go on
// from. Start with f.newest.
func (f *Frames) walk(place *uint32) (b uint32, ok bool) {
	if *place == 0 {
		return 0, false
	}
	b = *place - 1
	*place = f.blocks[b].older
	return b, true
}

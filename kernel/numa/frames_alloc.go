package numa

import "math/bits"

// Alloc takes a free frame from the first node in order that has one; order holds node numbers
// below MaxNodes. cpu says whose slots to use and in whose name to count; a caller above the
// runtime may be elsewhere by now. The frame is not zeroed. False: there was a moment at which no
// frame of any node in order was free.
func (f *Frames) Alloc(cpu int, order []uint8) (uint32, bool) {
	if len(order) > 0 {
		if fr, ok := f.fromSlot(cpu, order[0]); ok {
			return fr, true
		}
	}
	return f.allocAny(cpu, order)
}

// fromSlot takes a frame of node from the block in the CPU's slot.
func (f *Frames) fromSlot(cpu int, node uint8) (uint32, bool) {
	held := f.cpus[cpu].slot[node].Load()
	if held == 0 {
		return 0, false
	}
	left, ok := f.permit(held-1, stateTaken)
	if !ok {
		return 0, false
	}
	return f.pick(held-1, left), true
}

func (f *Frames) allocAny(cpu int, order []uint8) (uint32, bool) {
	// A node that was found dry may have got a frame back while the next one was looked at. So no
	// is said when two passes in a row found the same: dry words only grow, hence equal sums mean
	// that all nodes were dry between the passes.
	for last := uint64(0); ; {
		sum := uint64(0)
		for _, node := range order {
			fr, dry := f.allocFrom(cpu, node)
			if dry == 0 {
				return fr, true
			}
			sum += dry
		}
		if sum == last {
			return 0, false
		}
		last = sum
	}
}

// allocFrom takes a frame of node, or returns the dry word, never 0, that says that there is none.
func (f *Frames) allocFrom(cpu int, node uint8) (fr uint32, dry uint64) {
	if fr, ok := f.fromSlot(cpu, node); ok {
		return fr, 0
	}
	nd := &f.nodes[node]
	if dry := nd.dry.Load(); dry&dryState == dryYes {
		return 0, dry
	}
	if fr, ok := f.reserve(cpu, node); ok {
		return fr, 0
	}
	return f.search(cpu, node)
}

// permit takes one off block b's count: a permission for one frame, to be used by pick. It adds
// taken, stateTaken or 0, to the state, and returns what is left of the count.
func (f *Frames) permit(b uint32, taken uint64) (left uint64, ok bool) {
	state := &f.blocks[b].state
	for {
		s := state.Load()
		if s&stateCount == 0 {
			return 0, false
		}
		if state.CompareAndSwap(s, s-1+taken) {
			return s&stateCount - 1, true
		}
	}
}

// pick turns a permission for block b into a frame. left is the count after the permission: in a
// block that is used up from the bottom it leads to the right word at once.
func (f *Frames) pick(b uint32, left uint64) uint32 {
	blk := &f.blocks[b]
	for w := (BlockFrames - 1 - left) / wordFrames; ; w++ {
		w %= blockWords
		word := &blk.free[w]
		for v := word.Load(); v != 0; v = word.Load() {
			if word.CompareAndSwap(v, v&(v-1)) { // pairs with the Or in Free
				return b*BlockFrames + uint32(w)*wordFrames + uint32(bits.TrailingZeros64(v))
			}
		}
	}
}

// reserve puts a block from node's stacks into cpu's slot and takes a frame of it. Partly free
// blocks come first, to keep whole ones whole.
func (f *Frames) reserve(cpu int, node uint8) (uint32, bool) {
	nd := &f.nodes[node]
	if nd.stack[partly].Empty() && nd.stack[wholly].Empty() {
		return 0, false
	}
	nd.begin()
	b, was, ok := f.claim(nd, partly)
	if !ok {
		b, was, ok = f.claim(nd, wholly)
	}
	switch {
	case !ok:
	case was&stateReserved == 0:
		f.install(cpu, node, b)
	default:
		f.account(cpu, node, 1)
	}
	nd.end()
	if !ok {
		return 0, false
	}
	return f.pick(b, was&stateCount-1), true
}

// claim pops blocks until it has one with free frames, reserves that and takes a permission for it
// in the same step, and returns the state that was. It drops those that are exhausted or, if popped
// from the partly free ones, found elsewhere: in a slot or among the whole ones.
//
// A block popped from the whole ones that is in a slot stays there, and loses one frame only. It
// can't be dropped, since AllocHuge must find it as long as it is whole.
func (f *Frames) claim(nd *frameNode, stack int) (b uint32, was uint64, ok bool) {
	for {
		b, ok := nd.stack[stack].Pop(f.next[stack])
		if !ok {
			return 0, 0, false
		}
		state := &f.blocks[b].state
		for {
			s := state.Load()
			rest := s &^ (statePartial << stack)
			count := s & stateCount
			drop := count == 0 || stack == partly &&
				(s&stateReserved != 0 || s&stateWhole != 0 && count == BlockFrames)
			switch {
			case drop:
			case s&stateReserved != 0:
				rest--
			default:
				rest += stateReserved - 1 + stateTaken
			}
			if !state.CompareAndSwap(s, rest) {
				continue
			}
			if drop {
				break
			}
			return b, s, true
		}
	}
}

// install puts a block whose reserved flag is the caller's into cpu's slot, in place of the
// exhausted one that may be there.
func (f *Frames) install(cpu int, node uint8, b uint32) {
	if old := f.cpus[cpu].slot[node].Swap(b + 1); old != 0 {
		f.release(cpu, old-1)
	}
}

// release ends the reservation of a block that the caller took out of cpu's slot.
func (f *Frames) release(cpu int, b uint32) {
	s := f.blocks[b].state.And((stateTaken - 1) &^ stateReserved)
	f.account(cpu, uint8(f.blocks[b].home.Load()), s/stateTaken)
	f.settle(b) // it was exhausted, but frames may have come home since
}

// account counts n frames of node given out to cpu.
func (f *Frames) account(cpu int, node uint8, n uint64) {
	if c := &f.cpus[cpu]; f.cpuNode[cpu] == node {
		c.local.Add(n)
	} else {
		c.remote.Add(n)
	}
}

// A node's dry word: a generation, which begins whenever a frame comes home to a node that is being
// searched or dry, and what is known in this generation.
const (
	dryNo     = iota // a search may find a frame
	drySearch        // a search has begun
	dryYes           // a search has ended, and there is no free frame
	dryState  = 3    // mask; the generation is above
)

// search is the last resort: it takes a frame of node wherever there is one, or makes sure that
// there is none, so that later calls need not search until a frame comes home.
//
// It first announces itself in dry, and whoever adds to a count of the node begins a new generation
// afterwards. So within a generation that has a search, counts only fall, but for frees that have
// not returned yet; each block seen at count 0 stays at 0, and when a walk saw them all so, and the
// generation is still the same, the node is dry. Several CPUs may share a generation: each begins
// its walk after loading drySearch.
//
// If no block moved during the walk, those in slots are all there are besides the stacks, which are
// empty. Else the walk is repeated over all blocks.
func (f *Frames) search(cpu int, node uint8) (fr uint32, dry uint64) {
	nd := &f.nodes[node]
	now := nd.dry.Load()
	for now&dryState == dryNo {
		nd.dry.CompareAndSwap(now, now+drySearch)
		now = nd.dry.Load()
	}
	if now&dryState == dryYes {
		return 0, now
	}
	moves := nd.moves.Load()
	still := uint32(moves) == 0
	if fr, ok := f.reserve(cpu, node); ok {
		return fr, 0
	}
	if fr, ok := f.steal(cpu, node); ok {
		return fr, 0
	}
	if !still || nd.moves.Load() != moves {
		if fr, ok := f.sweep(cpu, node); ok {
			return fr, 0
		}
	}
	dry = now - drySearch + dryYes
	nd.dry.CompareAndSwap(now, dry) // fails if the generation is over: then Alloc's next pass sees another
	return 0, dry
}

// wet begins a new generation of the dry word if this one has a search. Call it after each
// addition to a count.
func (n *frameNode) wet() {
	for {
		now := n.dry.Load() // pairs with the CAS in search
		if now&dryState == dryNo || n.dry.CompareAndSwap(now, (now|dryState)+1) {
			return
		}
	}
}

// steal takes over a block of node from a slot, cpu's own first, and takes a frame of it.
func (f *Frames) steal(cpu int, node uint8) (uint32, bool) {
	nd := &f.nodes[node]
	for i := range f.cpus {
		victim := cpu + i
		if victim >= len(f.cpus) {
			victim -= len(f.cpus)
		}
		slot := &f.cpus[victim].slot[node]
		held := slot.Load()
		if held == 0 || f.blocks[held-1].state.Load()&stateCount == 0 {
			continue
		}
		b := held - 1
		nd.begin()
		if !slot.CompareAndSwap(held, 0) {
			nd.end()
			continue
		}
		left, ok := f.takeOver(victim, b)
		if ok {
			f.install(cpu, node, b)
		} else {
			f.release(victim, b)
		}
		nd.end()
		if ok {
			return f.pick(b, left), true
		}
	}
	return 0, false
}

// takeOver settles victim's account for a block taken out of its slot, and takes a permission.
func (f *Frames) takeOver(victim int, b uint32) (left uint64, ok bool) {
	blk := &f.blocks[b]
	for {
		s := blk.state.Load()
		if s&stateCount == 0 {
			return 0, false
		}
		if blk.state.CompareAndSwap(s, s%stateTaken-1+stateTaken) {
			f.account(victim, uint8(blk.home.Load()), s/stateTaken)
			return s&stateCount - 1, true
		}
	}
}

// sweep takes a frame from any block of node, wherever it is.
func (f *Frames) sweep(cpu int, node uint8) (uint32, bool) {
	place := f.newest.Load()
	for b, ok := f.walk(&place); ok; b, ok = f.walk(&place) {
		if f.blocks[b].home.Load() != uint32(node) {
			continue
		}
		if left, ok := f.permit(b, 0); ok {
			f.account(cpu, node, 1)
			return f.pick(b, left), true
		}
	}
	return 0, false
}

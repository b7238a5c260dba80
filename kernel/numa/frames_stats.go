package numa

// NodeStats describes one node.
type NodeStats struct {
	Total uint64 // bytes of RAM
	Free  uint64 // bytes of it that are free
	Huge  uint64 // whole free blocks of 2 MiB, which Free includes
	// Frames given out since boot to the CPUs of this node, by where they came from.
	Local, Remote uint64
}

// Stats adds up a node's figures by a walk over all blocks and slots, for reports. It is not a
// snapshot: calls under way may show in part.
func (f *Frames) Stats(node int) NodeStats {
	st := NodeStats{Total: f.nodes[node].frames.Load() * FrameSize}
	place := f.newest.Load()
	for b, ok := f.walk(&place); ok; b, ok = f.walk(&place) {
		blk := &f.blocks[b]
		if blk.home.Load() != uint32(node) {
			continue
		}
		n := blk.state.Load() & stateCount
		st.Free += n * FrameSize
		if n == BlockFrames {
			st.Huge++
		}
	}
	for cpu := range f.cpus {
		if f.cpuNode[cpu] == uint8(node) {
			st.addCPU(f, cpu)
		}
	}
	return st
}

// addCPU adds what was given out to cpu, from the blocks in its slots too.
func (st *NodeStats) addCPU(f *Frames, cpu int) {
	c := &f.cpus[cpu]
	st.Local += c.local.Load()
	st.Remote += c.remote.Load()
	for node := range c.slot {
		held := c.slot[node].Load()
		if held == 0 {
			continue
		}
		n := f.blocks[held-1].state.Load() / stateTaken
		if node == int(f.cpuNode[cpu]) {
			st.Local += n
		} else {
			st.Remote += n
		}
	}
}

// Has says whether that many bytes are free. It looks at blocks only until it has
// found them, those added last first, since their frames go last.
func (f *Frames) Has(bytes uint64) bool {
	free := uint64(0)
	place := f.newest.Load()
	for free < bytes {
		b, ok := f.walk(&place)
		if !ok {
			return false
		}
		free += f.blocks[b].state.Load() & stateCount * FrameSize
	}
	return true
}

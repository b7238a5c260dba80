package numa

import "pdac/kernel/lockfree"

// Reserve holds frames back for the moment when there are no others. It is a
// number of slots, each on one of two Treiber stacks (kernel/lockfree): those
// with a frame and those without.
//
// Who writes: a slot's frame is written by Put between taking it off the empty
// stack and putting it on the full one, and read by Take on the way back; the
// stacks' compare-and-swaps order the two. Linearization: the push that follows.
// Reclamation: none, slots are type-stable. Progress: lock-free. No calls need be
// kept apart but Init.
//
// Rejected: a mark on the pools below which ordinary allocations fail. They have
// no count of all free frames, which each allocation would have to write to.
type Reserve struct {
	frames, next []uint32
	empty, full  lockfree.Stack
}

// Init makes a reserve with room for len(frames) frames, and none yet. next is as
// long, both are the reserve's from then on.
func (r *Reserve) Init(frames, next []uint32) {
	r.frames, r.next = frames, next
	for i := range frames {
		r.empty.Push(next, uint32(i))
	}
}

// Room reports whether there was room for another frame at the time of its load.
func (r *Reserve) Room() bool { return !r.empty.Empty() }

// Put adds a frame; false if there is no room. A caller who frees much asks Room first.
func (r *Reserve) Put(frame uint32) bool {
	i, ok := r.empty.Pop(r.next)
	if !ok {
		return false
	}
	r.frames[i] = frame
	r.full.Push(r.next, i)
	return true
}

// Take removes a frame; false if there is none.
func (r *Reserve) Take() (frame uint32, ok bool) {
	i, ok := r.full.Pop(r.next)
	if !ok {
		return 0, false
	}
	frame = r.frames[i]
	r.empty.Push(r.next, i)
	return frame, true
}

package lockfree

import "sync/atomic"

// Treiber's stack over indices, with a tag against ABA.
//
// Paper: R. K. Treiber, "Systems Programming: Coping with Parallelism", IBM RJ 5118, 1986. The tag
// is that of IBM System/370 Principles of Operation, appendix A, "free-pool manipulation".
//
// Words and writers:
//
//	head     tag<<32 | top+1, low half 0 when empty; written by CAS only, by anyone
//	next[i]  (index below i)+1, 0 at the bottom; written only by who owns i,
//	         which is nobody while i is on the stack
//
// Invariant: following next from head's top visits each element of the stack once, and none of
// those links changes while its element is on the stack.
//
// Linearization: Push, PushList, Pop and PopAll at their successful CAS of head; Pop and PopAll of
// an empty stack at their load of head.
//
// Why removal alone moves the tag: Pop's CAS puts next[top], read earlier, into head. That is wrong
// only if top left the stack in between and came back, and leaving moved the tag. Push puts nothing
// into head that it read from a link: if head holds the same bits again, the link that it wrote is
// right again. (To come back takes a push too, so a tag that only pushes move would do as well.)
//
// Wrap: a Pop is fooled if, between its load of head and its CAS, a multiple of 2^32 removals
// happened and the same element is on top again. That gap is some ten instructions, against at
// least 2^32 locked ones on a single cache line, more than 20 seconds. Below the runtime interrupts
// are off in it, so only a hypervisor could stop it for that long; above, a goroutine would have to
// be descheduled exactly there, and in both cases go on at one removal count in 4 billion.
//
// Reclamation: none needed. Elements are type-stable: next outlives the stack, so a stale Pop reads
// a link of an element that is in other hands, atomically and harmlessly, because its CAS then
// fails.
//
// Progress: lock-free, all operations. No call pairs need be kept apart; one element must not be
// pushed while it is on a stack.

// Stack is a LIFO of indices below 2^32-1 whose links live in a slice of the caller's, the same one
// at every call. Stacks may share one slice, since an element is on one stack at a time. It is one
// word: the caller pads it where it matters.
type Stack struct {
	head atomic.Uint64
}

const (
	tagOne  = 1 << 32 // the tag's unit
	tagMask = ^uint64(tagOne - 1)
)

// Push puts element i on top.
//
// Preconditions: the caller owns i.
func (s *Stack) Push(next []uint32, i uint32) {
	s.PushList(next, i, i)
}

// PushList puts a list on top in one step: first becomes the top, and last lies on what was the
// top. The caller has joined first to last by Link.
//
// Preconditions: the caller owns every element of the list.
func (s *Stack) PushList(next []uint32, first, last uint32) {
	below := &next[last]
	for {
		h := s.head.Load()
		store32(below, uint32(h)) // pairs with the load in Pop
		if s.head.CompareAndSwap(h, h&tagMask|uint64(first+1)) {
			return
		}
	}
}

// Pop takes the top element; it is the caller's then. False: the stack was empty.
func (s *Stack) Pop(next []uint32) (uint32, bool) {
	for {
		h := s.head.Load()
		if uint32(h) == 0 {
			return 0, false
		}
		top := uint32(h) - 1
		below := atomic.LoadUint32(&next[top]) // stale if top has gone: then the CAS fails
		if s.head.CompareAndSwap(h, h&tagMask+tagOne|uint64(below)) {
			return top, true
		}
	}
}

// PopAll takes every element in one step and returns the top of the list, which is the caller's
// then and is walked by Next. False: the stack was empty.
func (s *Stack) PopAll() (uint32, bool) {
	for {
		h := s.head.Load()
		if uint32(h) == 0 {
			return 0, false
		}
		if s.head.CompareAndSwap(h, h&tagMask+tagOne) {
			return uint32(h) - 1, true
		}
	}
}

// Empty reports whether the stack had no element at the time of its load.
func (s *Stack) Empty() bool {
	return uint32(s.head.Load()) == 0
}

// Link puts below under i in a list that the caller is making for PushList.
func Link(next []uint32, i, below uint32) {
	store32(&next[i], below+1)
}

// Next returns the element under i in a list that PopAll returned. False: i is the bottom. Read it
// before pushing i elsewhere.
func Next(next []uint32, i uint32) (uint32, bool) {
	below := atomic.LoadUint32(&next[i])
	return below - 1, below != 0
}

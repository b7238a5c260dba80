package rcu

import (
	"slices"
	"sync/atomic"
)

// Hazard pointers.
//
// Paper: Maged M. Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects" (IEEE
// TPDS 15(6), 2004).
//
// Invariant: a reference is freed only after it was retired and then, slot by slot, seen in none.
//
// Words and writers:
//
//	lists[c]      top of a list of slots that only grows, by CAS
//	Hazard.next   constant once linked
//	Hazard.busy   0 -> 1 by CAS by who acquires; back by who released
//	Hazard.ref    who acquired
//	retired       pushed by CAS by anybody, taken whole by XCHG by a scan
//
// Why it is safe: a reader publishes the reference, then loads the source again; a writer takes it
// out of the source, then retires it, and a scan takes it over before it looks at the slots. All
// are sequentially consistent. So either the scan sees the slot, or the reader finds the source
// changed, and tries again. A slot linked after the scan has passed the list's top is published
// later still.
//
// Linearization: Protect at its second load of the source, Retire at the CAS that pushes, a
// reference is free when the scan has seen the last slot.
//
// Bound: let H be the number of slots, and a Retire scan when R = H*(1+Slack) references are
// unreclaimed. A scan leaves at most one reference a slot, H; so the next is Slack*H Retires later
// at the earliest, and a scan of O((R+H) log H) costs O(log H) for each (Slack at least 1). With one
// Retire at a time no more than R are ever unreclaimed (or 1, without slots). With p at a time the
// list has at most R + p*(H+1) (those of the others, and what p scans put back), and each may have
// taken as many.
//
// Progress: Protect is lock-free (it repeats when the source changed), Set and Clear are wait-free;
// Acquire, Retire and Scan are lock-free: a goroutine stopped in a scan keeps what it took over, and
// others go on.
//
// Calls to keep apart: a Hazard is its acquirer's. A reference is retired once, after the last
// source that names it has changed.

// Hazards is a set of slots, and of references that wait until no slot names them. References are
// addresses or indices, 0 is none.
//
// World: above the runtime.
type Hazards struct {
	lists   []hazardList // by CPU
	slack   int64
	slots   atomic.Int64
	retired atomic.Pointer[retired]
	waiting atomic.Int64 // retired and not freed
}

// hazardList is padded so that CPUs which acquire don't share a line.
type hazardList struct {
	top atomic.Pointer[Hazard]
	_   [128 - 8]byte
}

// Hazard is a slot: it protects one reference at a time, for the goroutine or CPU that holds it.
type Hazard struct {
	ref  atomic.Uint64
	busy atomic.Uint32
	next *Hazard
	_    [128 - 3*8]byte // holders write often, and not each other's line
}

// retired is a link of the list of references to free.
type retired struct {
	ref  uint64
	free func(ref uint64)
	next *retired
}

// NewHazards returns a set without slots for so many CPUs. slack is what part of the slots may be
// retired in vain before it pays to look: 1 or more. It panics for less, or without CPUs.
func NewHazards(cpus, slack int) *Hazards {
	if cpus < 1 || slack < 1 {
		panic("rcu: NewHazards wants a CPU and a slack of at least 1")
	}
	return &Hazards{lists: make([]hazardList, cpus), slack: int64(slack)}
}

// Acquire returns a slot, one of the CPU's that is free or a new one. A worker acquires one for all
// its life, others for each use.
func (h *Hazards) Acquire(cpu int) *Hazard {
	top := &h.lists[cpu].top
	for s := top.Load(); s != nil; s = s.next {
		if s.busy.Load() == 0 && s.busy.CompareAndSwap(0, 1) {
			return s
		}
	}
	s := new(Hazard)
	s.busy.Store(1)
	h.slots.Add(1)
	for {
		s.next = top.Load()
		if top.CompareAndSwap(s.next, s) {
			return s
		}
	}
}

// Release clears a slot and gives it back.
func (h *Hazards) Release(s *Hazard) {
	s.Clear()
	s.busy.Store(0)
}

// Protect returns what src holds, which is not freed until the slot protects something else, or
// nothing.
//
// World: both.
func (s *Hazard) Protect(src *atomic.Uint64) uint64 {
	for {
		ref := src.Load()
		s.Set(ref)
		if src.Load() == ref { // pairs with the change before Retire
			return ref
		}
	}
}

// Set publishes ref. It protects if the caller finds afterwards that ref was not yet taken out: what
// Protect does, for references that have a tag or come from elsewhere.
//
// World: both.
func (s *Hazard) Set(ref uint64) { s.ref.Store(ref) } // pairs with the load in Scan

// Clear protects nothing any more.
//
// World: both.
func (s *Hazard) Clear() { s.ref.Store(0) }

// Retire has free(ref) called when no slot protects ref, by this or a later Retire or Scan. The
// caller has taken ref out of whatever it could be protected from. free must not use Retire or Scan,
// which could nest without end.
func (h *Hazards) Retire(ref uint64, free func(ref uint64)) {
	n := h.waiting.Add(1)
	r := &retired{ref: ref, free: free}
	h.push(r, r)
	if n >= h.slots.Load()*(1+h.slack) {
		h.Scan()
	}
}

// push puts a list before the retired ones.
func (h *Hazards) push(first, last *retired) {
	for {
		last.next = h.retired.Load()
		if h.retired.CompareAndSwap(last.next, first) {
			return
		}
	}
}

// Scan frees what was retired before and is not protected.
func (h *Hazards) Scan() {
	batch := h.retired.Swap(nil) // before the slots: see above
	if batch == nil {
		return
	}
	protected := make([]uint64, 0, h.slots.Load())
	for i := range h.lists {
		for s := h.lists[i].top.Load(); s != nil; s = s.next {
			if ref := s.ref.Load(); ref != 0 {
				protected = append(protected, ref)
			}
		}
	}
	slices.Sort(protected)
	var first, last *retired
	for r := batch; r != nil; {
		next := r.next
		if _, kept := slices.BinarySearch(protected, r.ref); kept {
			if r.next = first; first == nil {
				last = r
			}
			first = r
		} else {
			r.free(r.ref)
			h.waiting.Add(-1)
		}
		r = next
	}
	if first != nil {
		h.push(first, last)
	}
}

// Slots returns how many slots there are: the most that were held at a time.
func (h *Hazards) Slots() int { return int(h.slots.Load()) }

// Waiting returns how many references are retired and not freed.
func (h *Hazards) Waiting() int { return int(h.waiting.Load()) }

package lockfree

import "sync/atomic"

// A work-stealing deque of which the owner keeps the newest elements to itself.
//
// Papers: D. Chase and Y. Lev, "Dynamic Circular Work-Stealing Deque", SPAA 2005 (positions that only
// grow, a CAS of top for each theft, arrays that grow); J. Dinan et al., "Scalable Work Stealing", SC
// 2009, and T. van Dijk and J. van de Pol, "Lace: Non-blocking Split Deque for Work-Stealing", Euro-Par
// 2014 (the split: what is behind it is private). What is ours is how the owner takes back what it
// offered: all of it, by one CAS of top as if it stole it, and by renaming it in place.
//
//	top             split          head
//	 | on offer       | private      |
//
// Words and writers:
//
//	top    position of the oldest element; only grows, by CAS, by thieves and the owner
//	split  position behind the last element on offer; only grows, by the owner
//	head   position behind the newest element; the owner's alone
//	shift  position p is in slot (p-shift) mod the array's length; by the owner
//	array  by the owner, when it makes a larger one
//	slots  by the owner, those of positions at head and before top
//
// Invariants:
//
//	(1) top <= split <= head <= top + length of the array.
//	(2) The element of a position in [top, split) doesn't change, nor does its slot in the array,
//	    until top has passed it: the owner writes at head, and only after it saw top less than a
//	    length below; shift changes only after the owner's CAS has moved top to split; a larger
//	    array is a copy, and the older one is not written again.
//	(3) So a CAS of top from t proves that the elements read before at [t, split) were theirs: top
//	    only grows, so it was t all the time. That holds for one element or many at a time.
//
// Why the order of loads in a theft is top, split, array and shift, slots: who loads a split past t
// sees the array and the shift that were stored before it. If they are even newer than that, a
// larger array has the same elements, and a newer shift means that top has left t.
//
// Renaming: when head = split, the owner's CAS of top from t to split makes [t, split), n elements,
// its own. It adds n to shift and head: the same slots are now those of positions [split, split+n),
// private ones in the old order, and nothing was copied. Positions are 64 bits and each CAS of top
// uses up as many as it moves: they don't come round.
//
// Which elements are on offer: whenever Push or Pop finds none on offer, it offers some of the private
// ones; Push keeps no more than 2*keep, and Offer none. So a thief that comes between two such calls of
// the owner finds something, unless the deque is empty or other thieves have had it all since. (Take
// offers nothing: it is the first half of a Pop whose second half is Offer.)
//
// Linearization: a theft at its CAS; one that finds nothing at its load of split, which then was top.
// Push, Offer and Pop at their store of split if they offer, else at their load of top, or anywhere in
// the call where they load none. A Pop that takes back is two steps, the taking by its CAS, after which
// nothing is on offer, and the offering; in between a thief may find nothing.
//
// Plain stores: head is the owner's, and slots and shift are published by the store of split. An
// overtaken thief may read them while they change; its CAS fails (owned.go). So Push and Pop are
// without a locked instruction as long as they neither offer nor take back, where the textbook's
// have at least two exchanges: its Pop must order its store of bottom before its load of top.
//
// Reclamation: arrays are Go's. A thief's own pointer keeps an older one alive, and nothing is used
// again by hand. Hazard pointers would be a store, a fence and a second load for each theft, to free by
// hand what the collector frees in time: all the older arrays together are smaller than the one in use.
//
// Progress: Push, Pop and the thefts are lock-free; whoever repeats does so because somebody else
// took an element. Push and Pop of private elements are wait-free, but for growing, which copies.
//
// Calls to keep apart:
//
//	       Push  Pop  Take  Offer  Steal  StealHalf  Offered
//	Push   x     x    x     x
//	Pop    x     x    x     x
//	Take   x     x    x     x
//	Offer  x     x    x     x
//
// Rejected: Chase and Lev's own, also with a push without a fence: its Pop cannot do without one, and a
// theft of many is wrong there, since its owner takes all but the last element without a CAS. A word that
// packs top and split (Lace): 32 bits of position come round within minutes, and who lowers split in it
// and raises it again, with other elements below, fools a thief that takes many. A flag by which thieves
// ask for more (Lace): the owner sees it only in its next call, so that who comes first comes in vain;
// instead the owner looks at top, a line that only thefts take away from it. A function to be called when
// something is offered: an indirect call each time, where a result does.

// Deque is a double-ended queue of 64-bit values. One goroutine, the owner, pushes and pops at one
// end; anybody steals at the other, the oldest first. The zero value is an empty deque; it must not be
// copied.
//
// World: above the runtime, since it allocates its arrays.
type Deque struct {
	head  uint64   // the owner's
	slots []uint64 // the owner's copy of *array

	_     [CacheLine - 4*8]byte // keeps the owner's words off the lines that thieves read
	top   atomic.Uint64
	_     [CacheLine - 8]byte // keeps thefts off the line that the owner writes
	split atomic.Uint64
	array atomic.Pointer[[]uint64] // nil before the first Push; the length is a power of two
	shift uint64
	_     [CacheLine - 3*8]byte // keeps what follows off it
}

const (
	// keep is how many elements stay private when there are more to offer. More than a few would only hide
	// work; with 8, a run of Push or Pop has one locked instruction or two for each 8 elements.
	keep = 8

	firstArray = 64
)

// Push adds v at the owner's end. True: it put values on offer.
//
// Preconditions: the caller is the owner.
func (d *Deque) Push(v uint64) (offered bool) {
	h, s, t := d.head, d.split.Load(), d.top.Load()
	if h-t == uint64(len(d.slots)) {
		d.grow(t)
	}
	store64(&d.slots[(h-d.shift)&uint64(len(d.slots)-1)], v)
	d.head = h + 1
	if t != s && h-s < 2*keep {
		return false
	}
	d.offer()
	return true
}

// Offer puts all values on offer. An owner that is going to be away for long calls it, so that nothing
// waits for its return. False: all were.
//
// Preconditions: the caller is the owner.
func (d *Deque) Offer() (offered bool) {
	h := d.head
	if h == d.split.Load() {
		return false
	}
	d.split.Store(h) // pairs with the loads in Steal and StealHalf
	return true
}

// Pop takes the newest value. False: the deque was empty. It may put values on offer without saying so: who has to
// wake thieves uses Take and Offer.
//
// Preconditions: the caller is the owner.
func (d *Deque) Pop() (v uint64, ok bool) {
	v, ok = d.Take()
	if s := d.split.Load(); d.head != s && d.top.Load() == s {
		d.offer()
	}
	return v, ok
}

// Take is Pop, but puts nothing on offer: for an owner that calls Offer next.
//
// Preconditions: the caller is the owner.
func (d *Deque) Take() (v uint64, ok bool) {
	if d.head == d.split.Load() && !d.takeBack() {
		return 0, false
	}
	h := d.head - 1
	d.head = h
	return d.slots[(h-d.shift)&uint64(len(d.slots)-1)], true
}

// offer puts all but a few of the private elements on offer, of which there are some.
func (d *Deque) offer() {
	s := d.split.Load()
	n := d.head - s
	if n > keep {
		n -= keep
	} else {
		n = (n + 1) / 2
	}
	d.split.Store(s + n) // pairs with the loads in Steal and StealHalf
}

// takeBack makes all that is on offer private, when there is nothing private. False: nothing is.
func (d *Deque) takeBack() bool {
	s := d.split.Load()
	for {
		t := d.top.Load()
		if t == s {
			return false
		}
		if d.top.CompareAndSwap(t, s) {
			store64(&d.shift, d.shift+s-t) // pairs with the loads in Steal and StealHalf
			d.head = s + s - t
			return true
		}
	}
}

// grow makes a larger array for the elements from position t on.
func (d *Deque) grow(t uint64) {
	larger := make([]uint64, max(firstArray, 2*len(d.slots)))
	for p := t; p != d.head; p++ {
		larger[(p-d.shift)&uint64(len(larger)-1)] = d.slots[(p-d.shift)&uint64(len(d.slots)-1)]
	}
	d.slots = larger
	d.array.Store(&larger) // pairs with the loads in Steal and StealHalf
}

// Steal takes the oldest value. False: none was on offer.
func (d *Deque) Steal() (v uint64, ok bool) {
	for {
		t := d.top.Load()
		if d.split.Load() == t {
			return 0, false
		}
		slots, shift := *d.array.Load(), atomic.LoadUint64(&d.shift)
		v = atomic.LoadUint64(&slots[(t-shift)&uint64(len(slots)-1)])
		if d.top.CompareAndSwap(t, t+1) {
			return v, true
		}
	}
}

// StealHalf takes half of what is on offer, rounded up, but no more than fit into the slice, which
// gets the values, the oldest first. It returns how many; 0: none was on offer.
func (d *Deque) StealHalf(into []uint64) int {
	for {
		t := d.top.Load()
		n := min((d.split.Load()-t+1)/2, uint64(len(into)))
		if n == 0 {
			return 0
		}
		slots, shift := *d.array.Load(), atomic.LoadUint64(&d.shift)
		for i := range n {
			into[i] = atomic.LoadUint64(&slots[(t+i-shift)&uint64(len(slots)-1)])
		}
		if d.top.CompareAndSwap(t, t+n) {
			return int(n)
		}
	}
}

// Offered returns how many values were on offer at a time during the call.
func (d *Deque) Offered() int {
	for {
		t := d.top.Load()
		s := d.split.Load()
		if d.top.Load() == t {
			return int(s - t)
		}
	}
}

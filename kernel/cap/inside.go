package cap

import (
	"sync/atomic"

	"pdac/asm"
)

// Who is inside: goroutines that are running a user's function for a formula.
//
// A function is asked on behalf of a call, of which it must make no other: a Revoke in it, which waits for
// the calls under way, would be in the middle of one. The functions that wait ask here first.
//
// A set of goroutines by the addresses of their descriptors, which no other goroutine has while
// this one lives. Each word is 0 or a goroutine, and set and cleared by that goroutine alone. A
// goroutine sees its own stores, so what outside answers for the caller needs no more argument.
//
// Progress: wait-free. When all places are taken the function is not run.

// places is how many functions can run at the same time.
const places = 1024

// insiders is the set.
type insiders struct {
	running atomic.Int32
	who     [places]atomic.Uintptr
}

// enter says that the caller begins to run a user's function, and returns the place for leave.
// False: too many are.
func (in *insiders) enter() (place int, ok bool) {
	g := asm.Goroutine()
	in.running.Add(1)
	start := placeOf(g)
	for i := range places {
		place = (start + i) % places
		if in.who[place].Load() == 0 && in.who[place].CompareAndSwap(0, g) {
			return place, true
		}
	}
	in.running.Add(-1)
	return 0, false
}

// placeOf returns where a goroutine begins its search for a place.
func placeOf(g uintptr) int { return int(g>>7) % places } // descriptors are some hundred bytes long

// leave ends what enter began.
func (in *insiders) leave(place int) {
	in.who[place].Store(0)
	in.running.Add(-1)
}

// inside reports whether the caller is running a user's function.
func (in *insiders) inside() bool {
	if in.running.Load() == 0 {
		return false
	}
	g := asm.Goroutine()
	for i := range in.who {
		if in.who[i].Load() == g {
			return true
		}
	}
	return false
}

// Inside reports whether the caller is a formula's function, or called by one: then what waits for calls to
// end is ErrInside.
func (t *Table) Inside() bool { return t.insiders.inside() }

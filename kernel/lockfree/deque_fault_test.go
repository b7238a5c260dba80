package lockfree

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

// dequeFault is a way to get the deque wrong.
type dequeFault int

const (
	dequeRight       dequeFault = iota
	splitBeforeTop              // thieves load split before top
	shiftBeforeSplit            // thieves load shift before split
	arrayBeforeSplit            // thieves load the array before split
	readLate                    // thieves read the elements after their CAS
	offeredEarly                // Push offers before it writes the element
	takenByStore                // the owner takes back without looking whether thieves were faster
	takenLate                   // the owner takes back by lowering split, as if top were not in the way
	shiftEarly                  // the owner renames before its CAS
	notRenamed                  // the owner takes back without shift
	grownInPlace                // a larger array takes over only some of the elements
	neverAgain                  // Pop offers nothing
)

var dequeFaultNames = [...]string{"none", "split before top", "shift before split", "array before split", "read late",
	"offered early", "taken back by a store", "taken back by split", "renamed early", "not renamed", "grown without the oldest", "never offered again"}

// Small, so that short histories offer, take back and grow.
const (
	steppedKeep  = 1
	steppedArray = 2
)

// steppedDeque is Deque, word for word, but that its caller says when each access to shared memory
// happens, and that it can have a fault. Only one call of it runs at a time.
type steppedDeque struct {
	head, top, split, shift uint64
	slots, array            []uint64
	turns                   *turns
	fault                   dequeFault
}

func (d *steppedDeque) load(word *uint64) uint64 {
	d.turns.step()
	return *word
}

func (d *steppedDeque) store(word *uint64, v uint64) {
	d.turns.step()
	*word = v
}

func (d *steppedDeque) cas(old, new uint64) bool {
	d.turns.step()
	if d.top != old {
		return false
	}
	d.top = new
	return true
}

func (d *steppedDeque) slot(slots []uint64, p, shift uint64) *uint64 {
	return &slots[(p-shift)&uint64(len(slots)-1)]
}

func (d *steppedDeque) Push(v uint64) bool {
	h, s, t := d.head, d.split, d.load(&d.top)
	if h-t == uint64(len(d.slots)) {
		d.grow(t)
	}
	write := func() { d.store(d.slot(d.slots, h, d.shift), v) }
	if d.fault != offeredEarly {
		write()
	}
	d.head = h + 1
	offers := t == s || h-s >= 2*steppedKeep
	if offers {
		d.offer()
	}
	if d.fault == offeredEarly {
		write()
	}
	return offers
}

func (d *steppedDeque) Offer() bool {
	h := d.head
	if h == d.split {
		return false
	}
	d.store(&d.split, h)
	return true
}

func (d *steppedDeque) Pop() (v uint64, ok bool) {
	s := d.split
	if d.head == s && !d.takeBack() {
		return 0, false
	}
	s = d.split
	h := d.head - 1
	d.head = h
	v = *d.slot(d.slots, h, d.shift)
	if h != s && d.fault != neverAgain && d.load(&d.top) == s {
		d.offer()
	}
	return v, true
}

func (d *steppedDeque) offer() {
	s := d.split
	n := d.head - s
	if n > steppedKeep {
		n -= steppedKeep
	} else {
		n = (n + 1) / 2
	}
	d.store(&d.split, s+n)
}

func (d *steppedDeque) takeBack() bool {
	s := d.split
	for {
		t := d.load(&d.top)
		if t == s {
			return false
		}
		switch d.fault {
		case shiftEarly:
			d.store(&d.shift, d.shift+s-t)
			if d.cas(t, s) {
				d.head = s + s - t
				return true
			}
			d.store(&d.shift, d.shift-s+t)
			continue
		case takenLate:
			d.store(&d.split, t)
			return true
		case takenByStore:
			d.store(&d.top, s)
		default:
			if !d.cas(t, s) {
				continue
			}
		}
		if d.fault != notRenamed {
			d.store(&d.shift, d.shift+s-t)
		}
		d.head = s + s - t
		return true
	}
}

func (d *steppedDeque) grow(t uint64) {
	larger := make([]uint64, max(steppedArray, 2*len(d.slots)))
	if d.fault == grownInPlace && t != d.head {
		t++
	}
	for p := t; p != d.head; p++ {
		*d.slot(larger, p, d.shift) = *d.slot(d.slots, p, d.shift)
	}
	d.slots = larger
	d.turns.step()
	d.array = larger
}

func (d *steppedDeque) Steal() (v uint64, ok bool) {
	var into [1]uint64
	n := d.rob(into[:], func(uint64) uint64 { return 1 })
	return into[0], n == 1
}

func (d *steppedDeque) StealHalf(into []uint64) int {
	return d.rob(into, func(offered uint64) uint64 { return min((offered+1)/2, uint64(len(into))) })
}

// rob is Steal and StealHalf, which take so many of what is on offer.
func (d *steppedDeque) rob(into []uint64, many func(uint64) uint64) int {
	for {
		var s, t, shift uint64
		var slots []uint64
		array := func() { d.turns.step(); slots = d.array }
		if d.fault == shiftBeforeSplit {
			shift = d.load(&d.shift)
		}
		if d.fault == arrayBeforeSplit {
			array()
		}
		if d.fault == splitBeforeTop {
			s, t = d.load(&d.split), d.load(&d.top)
		} else {
			t, s = d.load(&d.top), d.load(&d.split)
		}
		if s == t {
			return 0
		}
		n := many(s - t)
		if d.fault != arrayBeforeSplit {
			array()
		}
		if d.fault != shiftBeforeSplit {
			shift = d.load(&d.shift)
		}
		read := func() {
			for i := range n {
				into[i] = d.load(d.slot(slots, t+i, shift))
			}
		}
		if d.fault != readLate {
			read()
		}
		if d.cas(t, t+n) {
			if d.fault == readLate {
				read()
			}
			return int(n)
		}
	}
}

// tryDequeFault runs one history of a deque with a fault and says what went wrong.
func tryDequeFault(f dequeFault, seed uint64) error {
	const thieves, calls = 3, 5
	var t turns
	d := &steppedDeque{fault: f, turns: &t}
	var clock atomic.Int64
	histories := make([][]porcupine.Operation, thieves+1)
	var bodies []func()
	for w := range thieves + 1 {
		bodies = append(bodies, func() {
			r := rand.New(rand.NewPCG(seed, uint64(w+1)))
			if w == 0 {
				histories[w] = ownDeque(d, 3*calls, r, &clock)
			} else {
				histories[w] = robDeque(d, calls, r, &clock)
			}
		})
	}
	if err := t.run(seed, 5000, bodies...); err != nil {
		return err
	}
	if !porcupine.CheckOperations(dequeModel(steppedKeep), slices.Concat(histories...)) {
		return errors.New("not linearizable")
	}
	return nil
}

// The histories and their check find each fault, and nothing in the deque without one. The seeds are
// fixed, so the outcome is.
func TestDequeFaultsAreFound(t *testing.T) {
	const enough = 8000
	for f, name := range dequeFaultNames {
		t.Run(name, func(t *testing.T) {
			histories := uint64(enough)
			if dequeFault(f) == dequeRight && testing.Short() {
				histories /= 10
			}
			for seed := range histories {
				if err := tryDequeFault(dequeFault(f), seed); err == nil {
					continue
				} else if dequeFault(f) == dequeRight {
					t.Fatalf("seed %d: %v", seed, err)
				} else {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			if dequeFault(f) != dequeRight {
				t.Fatalf("not found in %d histories", enough)
			}
		})
	}
}

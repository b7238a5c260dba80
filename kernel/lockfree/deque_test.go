package lockfree

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

// One goroutine plays owner and thief beside a slice.
func TestDequeModel(t *testing.T) {
	const calls = 50000
	d := new(Deque)
	var model []uint64
	r := rand.New(rand.NewPCG(1, 1))
	value, kind := uint64(0), 0
	for range calls {
		if r.IntN(40) == 0 {
			kind = r.IntN(3)
		}
		had := d.Offered()
		switch k := kind + r.IntN(3); {
		case k < 2:
			value++
			if offered := d.Push(value); offered != (d.Offered() > had) {
				t.Fatalf("%d on offer, then %d after Push, which says %v", had, d.Offered(), offered)
			}
			model = append(model, value)
		case k < 4:
			v, ok := uint64(0), false
			if r.IntN(4) > 0 {
				v, ok = d.Pop()
			} else if v, ok = d.Take(); d.Offered() > had {
				t.Fatalf("%d on offer, then %d after Take", had, d.Offered())
			} else {
				d.Offer()
			}
			if end := len(model) - 1; ok != (end >= 0) || ok && v != model[end] {
				t.Fatalf("Pop = %d, %v, want the last of %v", v, ok, model)
			} else if ok {
				model = model[:end]
			}
		case r.IntN(2) == 0:
			v, ok := d.Steal()
			if ok != (had > 0) || ok && v != model[0] {
				t.Fatalf("Steal = %d, %v, want the first of %v if there is one", v, ok, model)
			} else if ok {
				model = model[1:]
			}
			continue // may leave nothing on offer
		default:
			var into [5]uint64
			n := d.StealHalf(into[:])
			if n != min((had+1)/2, len(into)) || !slices.Equal(into[:n], model[:n]) {
				t.Fatalf("StealHalf of %d = %d: %v, want the first of %v", had, n, into[:n], model)
			}
			model = model[n:]
			continue
		}
		if r.IntN(8) == 0 {
			had := d.Offered()
			if offered := d.Offer(); d.Offered() != len(model) || offered != (had < len(model)) {
				t.Fatalf("%d on offer, then %d of %d after Offer, which says %v", had, d.Offered(), len(model), offered)
			}
		}
		got := d.Offered()
		if got > len(model) || got == 0 && len(model) > 0 || len(model)-got > 2*keep {
			t.Fatalf("%d on offer of %d after a call of the owner", got, len(model))
		}
	}
}

// The array grows to what is needed, and only then, wherever its elements begin.
func TestDequeGrows(t *testing.T) {
	for _, before := range []int{0, 1, 40, 63} {
		d := new(Deque)
		for range before { // moves positions and shift
			d.Push(0)
			d.Steal()
			d.Push(0)
			d.Pop()
		}
		const most = 1000
		for i := range uint64(most) {
			d.Push(i)
		}
		if got := len(d.slots); got != 1024 {
			t.Errorf("array of %d for %d elements, want 1024", got, most)
		}
		for i := range uint64(most / 2) {
			if v, ok := d.Steal(); !ok || v != i {
				t.Fatalf("Steal = %d, %v, want %d", v, ok, i)
			}
			if v, ok := d.Pop(); !ok || v != most-1-i {
				t.Fatalf("Pop = %d, %v, want %d", v, ok, most-1-i)
			}
		}
		if v, ok := d.Pop(); ok {
			t.Fatalf("Pop of an empty deque = %d", v)
		}
	}
}

// Each value is taken once, by whomever, and by each thief in the order of the pushes. The owner's bursts
// make the deque grow, run empty, and take back in front of the thieves.
func TestDequeTorture(t *testing.T) {
	const thieves = 4
	values := uint64(1_000_000)
	if testing.Short() || raceDetector {
		values /= 10
	}
	var d Deque
	var done atomic.Bool
	taken := make([][]uint64, thieves+1)
	var wg sync.WaitGroup
	for w := range thieves {
		wg.Go(func() {
			var into [32]uint64
			for !done.Load() || d.Offered() > 0 {
				if w%2 == 0 {
					if v, ok := d.Steal(); ok {
						taken[w] = append(taken[w], v)
						continue
					}
				} else if n := d.StealHalf(into[:]); n > 0 {
					taken[w] = append(taken[w], into[:n]...)
					continue
				}
				runtime.Gosched()
			}
		})
	}
	r := rand.New(rand.NewPCG(1, 2))
	pop := func() bool {
		take := d.Pop
		if r.IntN(4) == 0 {
			take = d.Take
			defer d.Offer()
		}
		v, ok := take()
		if ok {
			taken[thieves] = append(taken[thieves], v)
		}
		return ok
	}
	for next := uint64(0); next < values; {
		burst := 1 << r.IntN(10)
		for range burst {
			d.Push(next)
			next++
		}
		for range r.IntN(2 * burst) {
			if !pop() {
				break
			}
		}
		values = max(values, next)
	}
	for pop() {
	}
	done.Store(true)
	wg.Wait()
	seen := make([]bool, values)
	for w, list := range taken {
		for i, v := range list {
			if v >= values || seen[v] {
				t.Fatalf("%d was taken twice, or never pushed", v)
			}
			seen[v] = true
			if w < thieves && i > 0 && v <= list[i-1] {
				t.Fatalf("thief %d took %d after %d", w, v, list[i-1])
			}
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Fatalf("%d was lost", i)
	}
}

// A deque in use allocates nothing but larger arrays.
func TestDequeDoesNotAllocate(t *testing.T) {
	var d Deque
	d.Push(0)
	if n := testing.AllocsPerRun(100, func() {
		for i := range uint64(firstArray - 1) {
			d.Push(i)
		}
		var into [8]uint64
		d.StealHalf(into[:])
		for {
			if _, ok := d.Pop(); !ok {
				break
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What the owner writes at each call, what thieves write, and what both read are on lines of their own.
func TestDequeLines(t *testing.T) {
	var d Deque
	line := func(offset uintptr) uintptr { return offset / CacheLine }
	owner, top, shared := line(unsafe.Offsetof(d.slots)), line(unsafe.Offsetof(d.top)), line(unsafe.Offsetof(d.split))
	if line(unsafe.Offsetof(d.head)) != owner || owner == top || top == shared || owner == shared ||
		line(unsafe.Offsetof(d.shift)) != shared || unsafe.Sizeof(d) != (shared+1)*CacheLine {
		t.Errorf("lines: head %d, slots %d, top %d, split %d, shift %d, %d bytes in all", line(unsafe.Offsetof(d.head)), owner, top,
			shared, line(unsafe.Offsetof(d.shift)), unsafe.Sizeof(d))
	}
}

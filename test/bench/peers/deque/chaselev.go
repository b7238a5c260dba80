package deque

import "sync/atomic"

// chaseLev is the textbook's deque: D. Chase and Y. Lev, SPAA 2005, with the memory order of Go's
// atomics, which is stronger than that of N. M. Lê, A. Pop, A. Cohen and F. Zappa Nardelli, PPoPP
// 2013. Its elements are written by plain stores, which on x86 is right and makes it faster.
type chaseLev struct {
	top    atomic.Int64
	_      [64 - 8]byte
	bottom atomic.Int64
	array  atomic.Pointer[[]uint64]
}

func newChaseLev() *chaseLev {
	d := new(chaseLev)
	array := make([]uint64, 64)
	d.array.Store(&array)
	return d
}

func (d *chaseLev) push(v uint64) {
	b, t := d.bottom.Load(), d.top.Load()
	array := *d.array.Load()
	if b-t >= int64(len(array)) {
		larger := make([]uint64, 2*len(array))
		for i := t; i < b; i++ {
			larger[i&int64(len(larger)-1)] = array[i&int64(len(array)-1)]
		}
		array = larger
		d.array.Store(&larger)
	}
	array[b&int64(len(array)-1)] = v
	d.bottom.Store(b + 1)
}

func (d *chaseLev) pop() (v uint64, ok bool) {
	b := d.bottom.Load() - 1
	array := *d.array.Load()
	d.bottom.Store(b)
	t := d.top.Load()
	if t > b {
		d.bottom.Store(b + 1)
		return 0, false
	}
	v, ok = array[b&int64(len(array)-1)], true
	if t == b {
		ok = d.top.CompareAndSwap(t, t+1)
		d.bottom.Store(b + 1)
	}
	return v, ok
}

func (d *chaseLev) steal() (v uint64, ok bool) {
	t := d.top.Load()
	if t >= d.bottom.Load() {
		return 0, false
	}
	array := *d.array.Load()
	v = atomic.LoadUint64(&array[t&int64(len(array)-1)])
	return v, d.top.CompareAndSwap(t, t+1)
}

func (d *chaseLev) Own(n, burst int) (sum int) {
	for i := 0; i < n; {
		for end := min(i+burst, n); i < end; i++ {
			d.push(uint64(i))
		}
		for v, ok := d.pop(); ok; v, ok = d.pop() {
			sum += int(v)
		}
	}
	return sum
}

func (d *chaseLev) Rob(r *Round, backOff bool) (sum int) {
	for w := wait(0); !r.over(); {
		if v, ok := d.steal(); ok {
			sum += int(v)
			w = 0
		} else if backOff {
			w.lose()
		}
	}
	return sum
}

package linux

import (
	"sync/atomic"
	"testing"

	"pdac/kernel/sched"
)

// timespecAt puts a timespec into user memory.
func timespecAt(ns int64) uint64 {
	ts := timespec{ns / second, ns % second}
	return addressOf(&ts)
}

func TestFutexArguments(t *testing.T) {
	m := boot(t, 1)
	w, a := words(2)
	w[0] = 5
	bad := timespec{0, second}
	negative := timespec{-1, 0}
	for _, x := range []struct {
		want int64
		args []uint64
	}{
		{eagain, []uint64{a, futexOpWait, 4, 0}},
		{eagain, []uint64{a, futexOpWait | futexPrivate, 6, timespecAt(second)}},
		{einval, []uint64{a + 1, futexOpWait, 5, 0}},
		{einval, []uint64{a + 2, futexOpWake, 1}},
		{einval, []uint64{a, futexOpWait, 5, addressOf(&bad)}},
		{einval, []uint64{a, futexOpWait, 5, addressOf(&negative)}},
		{einval, []uint64{a, futexOpWaitBits, 5, 0, 0, 0}},
		{einval, []uint64{a, futexOpWakeBits, 1, 0, 0, 0}},
		{efault, []uint64{8, futexOpWait, 5, 0}},
		{efault, []uint64{userEnd, futexOpWait, 5, 0}},
		{efault, []uint64{userEnd, futexOpWake, 1}},
		{efault, []uint64{a, futexOpWait, 5, 16}},
		{einval, []uint64{a, futexOpRequeue, 1, 1, a + 3}},
		{eagain, []uint64{a, futexOpCmpRequeue, 1, 1, a + 8, 4}},
		{enosys, []uint64{a, 6, 1}},
		{0, []uint64{a, futexOpWake, 1}},
		{0, []uint64{a, futexOpCmpRequeue, 1, 1, a + 8, 5}},
	} {
		m.want(x.want, nrFutex, x.args...)
	}
}

func TestFutexTimeouts(t *testing.T) {
	m := boot(t, 1)
	_, a := words(1)
	const span = 3 * second
	for _, x := range []struct {
		name string
		op   uint64
		time int64 // 0: span from now on each clock
	}{
		{"relative", futexOpWait, span},
		{"absolute", futexOpWaitBits, 0},
		{"absolute, wall clock", futexOpWaitBits | futexRealtime, wallTime},
	} {
		start := m.time.Load()
		ts := x.time
		if ts != span {
			ts += int64(start) + span
		}
		if r := m.call(0, nrFutex, a, x.op|futexPrivate, 0, timespecAt(ts), 0, uint64(anyBit)); r != blocked {
			t.Fatalf("%s: the wait does not wait: %d", x.name, r)
		}
		c := &sched.Get(mainThread).Ctx
		m.idleTo(start + span - 1)
		if sched.Current(0) != 0 {
			t.Fatalf("%s: over after %d ns", x.name, m.time.Load()-start)
		}
		for range 3 {
			m.step(0)
		}
		m.time.Store(start + span)
		m.step(0)
		if sched.Current(0) != mainThread || int64(c.RAX) != etimedout || c.RIP != codeAt+syscallLength {
			t.Fatalf("%s: RAX %d, RIP %#x after the time-out", x.name, int64(c.RAX), c.RIP)
		}
	}
	// A time that is past.
	if r := m.call(0, nrFutex, a, futexOpWaitBits, 0, timespecAt(1), 0, uint64(anyBit)); r != blocked {
		t.Fatal("no wait")
	}
	m.spin(func() bool { return sched.Current(0) == mainThread })
	if r := int64(sched.Get(mainThread).Ctx.RAX); r != etimedout {
		t.Errorf("a past deadline gives %d", r)
	}
}

// waiters makes n threads that wait on the word that at says, once, and count themselves in woken.
func (m *machine) waiters(n int, at func(i int) uint64, bits func(i int) uint64, woken *[]int) {
	asleep := 0
	for i := range n {
		state := 0
		m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			switch state {
			case 0:
				asleep++
				set(c, nrFutex, at(i), futexOpWaitBits|futexPrivate, 0, 0, 0, bits(i))
			case 1:
				if c.RAX != 0 {
					m.Errorf("waiter %d: %d", i, int64(c.RAX))
				}
				*woken = append(*woken, i)
				set(c, nrExit, 0)
			}
			state++
			return true
		})
	}
	// The main thread yields until all sleep.
	m.programs[mainThread] = func(cpu int, t sched.ID, c *sched.Context) bool {
		set(c, nrSchedYield)
		return true
	}
	m.spin(func() bool { return asleep == n && sched.Current(0) == mainThread && sched.Stats(0).Queued == 0 })
}

func all(int) uint64 { return uint64(anyBit) }

func TestFutexTenThousandWaitersOnOneWord(t *testing.T) {
	m := boot(t, 1)
	const n = 10_000
	_, a := words(1)
	var woken []int
	m.waiters(n, func(int) uint64 { return a }, all, &woken)
	m.want(1, nrFutex, a, futexOpWake, 1)
	m.want(2, nrFutex, a, futexOpWake, 2)
	m.spin(func() bool { return len(woken) == 3 })
	m.want(n-3, nrFutex, a, futexOpWake, 1<<31-1)
	m.want(0, nrFutex, a, futexOpWake, 1<<31-1)
	m.spin(func() bool { return len(woken) == n && living.Load() == 1 })
	for i, w := range woken {
		if w != i {
			t.Fatalf("waiter %d woke as number %d: not first come, first served", w, i)
		}
	}
}

func TestFutexTenThousandWaitersOnTenThousandWords(t *testing.T) {
	m := boot(t, 1)
	const n = 10_000
	_, a := words(n)
	at := func(i int) uint64 { return a + uint64(i)*8 }
	var woken []int
	m.waiters(n, at, all, &woken)
	for _, i := range rng(3).Perm(n) {
		m.want(1, nrFutex, at(i), futexOpWake, 1<<31-1)
	}
	m.spin(func() bool { return len(woken) == n && living.Load() == 1 })
	for i := range futexBuckets {
		if futexBuckets[i].head != 0 || futexBuckets[i].tail != 0 {
			t.Fatalf("bucket %d is not empty", i)
		}
	}
}

func TestFutexBits(t *testing.T) {
	m := boot(t, 1)
	_, a := words(1)
	var woken []int
	m.waiters(4, func(int) uint64 { return a }, func(i int) uint64 { return 1 << i }, &woken)
	m.want(2, nrFutex, a, futexOpWakeBits, 9, 0, 0, 0b1010)
	m.want(0, nrFutex, a, futexOpWakeBits, 9, 0, 0, 0b1010)
	m.want(1, nrFutex, a, futexOpWakeBits, 9, 0, 0, 0b0100)
	m.want(1, nrFutex, a, futexOpWake, 9)
	m.spin(func() bool { return len(woken) == 4 })
}

func TestFutexRequeue(t *testing.T) {
	m := boot(t, 1)
	w, a := words(64)
	w[0] = 0
	var woken []int
	m.waiters(10, func(int) uint64 { return a }, all, &woken)
	m.want(1, nrFutex, a, futexOpRequeue, 1, 3, a+8)
	m.want(1+4, nrFutex, a, futexOpCmpRequeue, 1, 4, a+16, 0)
	m.want(3, nrFutex, a+8, futexOpWake, 99)
	m.want(4, nrFutex, a+16, futexOpWake, 99)
	m.want(1, nrFutex, a, futexOpWake, 99)
	m.spin(func() bool { return len(woken) == 10 && living.Load() == 1 })
}

// A thread that was moved to another word is still found by signals.
func TestFutexRequeueThenSignal(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigURG, saRestart, 0)
	_, a := words(64)
	got := int64(0)
	state := 0
	w := m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
		if state++; state == 1 {
			set(c, nrFutex, a, futexOpWait, 0, timespecAt(1000*second))
			return true
		}
		got = int64(c.RAX)
		set(c, nrExit, 0)
		return true
	})
	m.programs[mainThread] = func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrSchedYield); return true }
	m.spin(func() bool { return state == 1 && sched.Current(0) == mainThread })
	m.want(0, nrFutex, a, futexOpRequeue, 0, 1, a+8)
	m.call(0, nrTgkill, processID, uint64(w), sigURG)
	m.spin(func() bool { return got != 0 })
	if got != eintr {
		t.Errorf("the wait ends with %d", got)
	}
}

// A mutex of Drepper's kind ("Futexes Are Tricky", mutex 2) under contention from all CPUs: whatever is lost stops it, and two
// owners at once show in a plain counter.
func TestFutexMutexTorture(t *testing.T) {
	const ncpu, n, rounds = 4, 16, 500
	m := boot(t, ncpu)
	lock := new(atomic.Uint32)
	a := addressOf(lock)
	count, inside := 0, new(atomic.Int32)
	var done atomic.Bool
	var left atomic.Int32
	left.Store(n)
	for range n {
		const (
			try = iota
			marked
			owned
		)
		state, round := try, 0
		m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			for {
				switch state {
				case try:
					if round == rounds {
						if left.Add(-1) == 0 {
							done.Store(true)
						}
						set(c, nrExit, 0)
						return true
					}
					if lock.CompareAndSwap(0, 1) {
						state = owned
						return false
					}
					state = marked
				case marked:
					if lock.Swap(2) == 0 {
						state = owned
						return false
					}
					set(c, nrFutex, a, futexOpWait|futexPrivate, 2, 0)
					return true // and comes back to mark it again
				case owned:
					if inside.Add(1) != 1 {
						m.Error("two owners")
					}
					count++
					round++
					inside.Add(-1)
					state = try
					if lock.Swap(0) == 2 {
						set(c, nrFutex, a, futexOpWake|futexPrivate, 1)
						return true
					}
				}
			}
		})
	}
	m.programs[mainThread] = func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrSchedYield); return true }
	m.parallel(&done, 50_000_000)
	if count != n*rounds {
		t.Errorf("%d rounds, want %d", count, n*rounds)
	}
}

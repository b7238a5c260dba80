package linux

import (
	"math/bits"
	"unsafe"

	"pdac/kernel/sched"
)

// Futexes (futex(2); H. Franke, R. Russell, M. Kirkwood, "Fuss, Futexes and Furwocks", Ottawa Linux Symposium 2002): wait queues
// hashed by address. One process, so that private and shared futexes are the same, and the key is the virtual address.
//
// A waiter compares the word under its bucket's lock and a waker takes that lock after the program changed the word: either the
// waiter sees the change, or the waker sees the waiter.
//
// Waking one is O(1) while the bucket serves one address; else it passes over the other addresses' waiters that came earlier.

// FutexBucket is a queue with a cache line of its own, so that two futexes share one only if they share a bucket.
type FutexBucket struct {
	queue
	_ [64 - 12]byte
}

var (
	futexBuckets []FutexBucket
	futexMask    uint64 // of the offset of a bucket: there are a power of two
)

// bucketOf hashes an address: Fibonacci hashing (Knuth, The Art of Computer Programming, vol. 3, 6.4), since the low bits of
// addresses of records of one size vary little.
func bucketOf(a uint64) *queue {
	offset := a * 0x9e3779b97f4a7c15 >> 28 & futexMask
	return (*queue)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(futexBuckets)), offset))
}

// Operations and flags.
const (
	futexOpWait       = 0
	futexOpWake       = 1
	futexOpRequeue    = 3
	futexOpCmpRequeue = 4
	futexOpWaitBits   = 9
	futexOpWakeBits   = 10

	futexPrivate  = 128
	futexRealtime = 256

	anyBit = ^uint32(0)
)

// Futex is the call futex(addr, op, val, timeout or val2, addr2, val3) of task t, whose registers are c. The trap entry comes here
// directly, since threads that wait for each other do little else. What those ask is done here: to sleep while the word at addr
// is val, and to wake the one who sleeps; all else, a queue that is locked included, is futexAny's. next is the task that runs now
// if it is another one that did not need sched.Leave, else 0. All else is as for Syscall.
//
//go:nosplit
func Futex(cpu int, t sched.ID, c *sched.Context, now uint64) (next sched.ID) {
	a := c.RDI
	q := bucketOf(a)
	switch uint32(c.RSI) &^ (futexPrivate | futexRealtime) {
	case futexOpWake:
		if !q.spin.TryLock() {
			break
		}
		first := q.head
		th := thread(first)
		if first == 0 || th.waitKey != a || int32(c.RDX) > 1 { // who waits under a found it a good address
			q.unlock()
			break
		}
		q.shift(th)
		q.spin.Release() // the thread is ours
		th.resume = 0
		c.RAX = 1
		sched.Unpark(cpu, first, now)
		return 0
	case futexOpWait:
		if c.R10 != 0 {
			break
		}
		if !futexAddress(a) {
			break
		}
		if !q.spin.TryLock() {
			break
		}
		v, ok := userWord(a)
		if !ok || v != uint32(c.RDX) {
			q.unlock()
			break
		}
		th := thread(t) // from here on as in sleep
		th.enter(t, q, a, anyBit, 0, 0)
		th.waitSeq = 0 // of no time-out
		if sched.Get(t).Attn.Load() != 0 && th.withdraw(cpu, c, q) {
			return 0
		}
		return sched.Sleep(cpu, c, &q.spin, now)
	}
	futexAny(cpu, t, c)
	return 0
}

// futexAddress says whether a futex may be at a: an address of the program, divisible by four.
func futexAddress(a uint64) bool {
	return bits.RotateLeft64(a-userMin, -2) < (userEnd-userMin)/4
}

// futexAny is Futex for all cases.
func futexAny(cpu int, t sched.ID, c *sched.Context) {
	a := c.RDI
	op := uint32(c.RSI) &^ (futexPrivate | futexRealtime)
	bits := anyBit
	if op > futexOpWake || !futexAddress(a) {
		if bits = futexOther(cpu, t, c, op); bits == 0 {
			return
		}
	}
	if op == futexOpWake {
		thread(t).finish(c, futexWake(cpu, a, anyBit, int(int32(c.RDX))))
		return
	}
	var deadline uint64
	if c.R10 != 0 {
		var e int64
		if deadline, e = futexDeadline(t, c, op); e != 0 {
			thread(t).finish(c, e)
			return
		}
	}
	q := bucketOf(a)
	q.lock(cpu)
	if ok, v := userLoad32(a, 0, 0); !ok || v != uint32(c.RDX) {
		q.unlock()
		e := eagain
		if !ok {
			e = efault
		}
		thread(t).finish(c, e)
		return
	}
	th := thread(t) // from here on as in sleep
	m := mode(0)
	if deadline != 0 {
		m = noRestart
	}
	th.enter(t, q, a, bits, deadline, m)
	if sched.Get(t).Attn.Load() != 0 && th.withdraw(cpu, c, q) {
		return
	}
	th.waitSeq = sched.Park(cpu, t, deadline)
	q.unlock()
}

// futexOther does what is neither to wait nor to wake, or has no good address. A wait is left to the caller: it returns the bits of
// who may wake it, else 0.
func futexOther(cpu int, t sched.ID, c *sched.Context, op uint32) (bits uint32) {
	a := c.RDI
	r := enosys
	if a&3 != 0 {
		r = einval
	} else {
		switch bits = uint32(c.R9); op {
		case futexOpWait, futexOpWake:
			r = efault
		case futexOpWaitBits, futexOpWakeBits:
			switch {
			case bits == 0:
				r = einval
			case !userAddress(a):
				r = efault
			case op == futexOpWaitBits:
				return bits
			default:
				r = futexWake(cpu, a, bits, int(int32(c.RDX)))
			}
		case futexOpRequeue, futexOpCmpRequeue:
			r = futexRequeue(cpu, c, op == futexOpCmpRequeue)
		}
	}
	thread(t).finish(c, r)
	return 0
}

// futexDeadline is the deadline of a call with a time-out, which is relative for FUTEX_WAIT, absolute for FUTEX_WAIT_BITSET.
func futexDeadline(t sched.ID, c *sched.Context, op uint32) (deadline uint64, e int64) {
	clock := uint64(clockMonotonic)
	if c.RSI&futexRealtime != 0 {
		clock = clockRealtime
	}
	ns, e := loadTimespec(c.R10)
	if e != 0 {
		return 0, e
	}
	return callDeadline(t, deadlineOf(clock, ns, op == futexOpWait)), 0
}

// futexWake wakes up to n waiters of a that have one of bits, at least one as Linux does, and returns how many.
func futexWake(cpu int, a uint64, bits uint32, n int) int64 {
	q := bucketOf(a)
	q.lock(cpu)
	woken := wakeBits(cpu, q, a, bits, max(n, 1), 0)
	q.unlock()
	return int64(woken)
}

// futexRequeue wakes up to val waiters and moves up to val2 more to addr2; with compare only if the word is val3. It returns how
// many were woken, plus, with compare, how many were moved.
func futexRequeue(cpu int, c *sched.Context, compare bool) int64 {
	a, a2 := c.RDI, c.R8
	wake, move := int(int32(c.RDX)), int(int32(c.R10))
	if a2&3 != 0 || wake < 0 || move < 0 {
		return einval
	}
	if !userAddress(a) || !userAddress(a2) {
		return efault
	}
	from, to := bucketOf(a), bucketOf(a2)
	lockTwo(cpu, from, to)
	if compare {
		if v, ok := load32(a); !ok || v != uint32(c.R9) {
			unlockTwo(from, to)
			if !ok {
				return efault
			}
			return eagain
		}
	}
	woken, moved := 0, 0
	if wake > 0 {
		woken = wakeBits(cpu, from, a, anyBit, wake, 0)
	}
	for t := from.head; t != 0 && moved < move && a != a2; {
		th := thread(t)
		next := th.next
		if th.waitKey == a {
			moved++
			th.waitKey = a2
			if from != to {
				from.unlink(th)
				to.push(t, th)
				th.waitOn.Store(queueAddress(to)) // never 0 between: the time-out and a signal follow it
			}
		}
		t = next
	}
	unlockTwo(from, to)
	if compare {
		return int64(woken + moved)
	}
	return int64(woken)
}

// lockTwo locks both queues in the order of their addresses.
func lockTwo(cpu int, a, b *queue) {
	if queueAddress(a) > queueAddress(b) {
		a, b = b, a
	}
	a.lock(cpu)
	if a != b {
		b.lock(cpu)
	}
}

func unlockTwo(a, b *queue) {
	a.unlock()
	if a != b {
		b.unlock()
	}
}

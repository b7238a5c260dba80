package linux

import (
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

var futexBuckets []FutexBucket

// bucketOf hashes an address: Fibonacci hashing (Knuth, The Art of Computer Programming, vol. 3, 6.4), since the low bits of
// addresses of records of one size vary little.
func bucketOf(a uint64) *queue {
	h := a >> 2 * 0x9e3779b97f4a7c15 >> 32
	return &futexBuckets[h&uint64(len(futexBuckets)-1)].queue
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

// sysFutex is futex(addr, op, val, timeout or val2, addr2, val3).
func sysFutex(cpu int, t sched.ID, c *sched.Context) int64 {
	a := c.RDI
	if a&3 != 0 {
		return einval
	}
	op, bits := uint32(c.RSI)&^(futexPrivate|futexRealtime), anyBit
	if op == futexOpWaitBits || op == futexOpWakeBits {
		if bits = uint32(c.R9); bits == 0 {
			return einval
		}
	}
	switch op {
	case futexOpWait, futexOpWaitBits:
		return futexWait(cpu, t, c, bits)
	case futexOpWake, futexOpWakeBits:
		if !userAddress(a) {
			return efault
		}
		return int64(futexWake(cpu, a, bits, int(int32(c.RDX))))
	case futexOpRequeue, futexOpCmpRequeue:
		return futexRequeue(cpu, c, op == futexOpCmpRequeue)
	}
	return enosys
}

// futexWait sleeps while the word at RDI is RDX. A time-out is relative for FUTEX_WAIT, absolute for FUTEX_WAIT_BITSET.
func futexWait(cpu int, t sched.ID, c *sched.Context, bits uint32) int64 {
	a := c.RDI
	var deadline uint64
	if c.R10 != 0 {
		clock, op := uint64(clockMonotonic), uint32(c.RSI)
		if op&futexRealtime != 0 {
			clock = clockRealtime
		}
		relative := op&^(futexPrivate|futexRealtime) == futexOpWait
		ns, e := loadTimespec(c.R10)
		if e != 0 {
			return e
		}
		deadline = callDeadline(t, deadlineOf(clock, ns, relative))
	}
	q := bucketOf(a)
	q.lock(cpu)
	if v, ok := load32(a); !ok || v != uint32(c.RDX) {
		q.unlock()
		if !ok {
			return efault
		}
		return eagain
	}
	return sleepBits(cpu, t, c, q, a, deadline, 0, bits)
}

// futexWake wakes up to n waiters of a, at least one as Linux does, and returns how many.
func futexWake(cpu int, a uint64, bits uint32, n int) int {
	q := bucketOf(a)
	q.lock(cpu)
	woken := wakeBits(cpu, q, a, bits, max(n, 1), 0)
	q.unlock()
	return woken
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
	woken, moved := wakeBits(cpu, from, a, anyBit, wake, 0), 0
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

package linux

import (
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

var futexBuckets []FutexBucket

// bucketOf hashes an address: Fibonacci hashing (Knuth, The Art of Computer Programming, vol. 3, 6.4), since the low bits of
// addresses of records of one size vary little.
func bucketOf(a uint64) *queue {
	h := a >> 2 * 0x9e3779b97f4a7c15 >> 32 & uint64(len(futexBuckets)-1)
	return (*queue)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(futexBuckets)), h*uint64(unsafe.Sizeof(FutexBucket{}))))
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

// sysFutex is futex(addr, op, val, timeout or val2, addr2, val3). To wait is done here: sleep while the word at addr is val.
//
//go:nosplit
func sysFutex(cpu int, t sched.ID, c *sched.Context) int64 {
	a := c.RDI
	if a&3 != 0 {
		return einval
	}
	op := uint32(c.RSI) &^ (futexPrivate | futexRealtime)
	if op == futexOpWake {
		return futexWake(cpu, a, anyBit, int(int32(c.RDX)))
	}
	bits := anyBit
	if op != futexOpWait {
		if bits = uint32(c.R9); bits == 0 && (op == futexOpWaitBits || op == futexOpWakeBits) {
			return einval
		}
		switch op {
		case futexOpWaitBits:
		case futexOpWakeBits:
			return futexWake(cpu, a, bits, int(int32(c.RDX)))
		case futexOpRequeue, futexOpCmpRequeue:
			return futexRequeue(cpu, c, op == futexOpCmpRequeue)
		default:
			return enosys
		}
	}
	var deadline uint64
	if c.R10 != 0 {
		var e int64
		if deadline, e = futexDeadline(t, c, op); e != 0 {
			return e
		}
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

// futexWake wakes up to n waiters of a, at least one as Linux does, and returns how many.
//
//go:nosplit
func futexWake(cpu int, a uint64, bits uint32, n int) int64 {
	if !userAddress(a) {
		return efault
	}
	q := bucketOf(a)
	q.lock(cpu)
	woken := 0
	for t := q.head; t != 0; { // wakeBits, but in line
		th := thread(t)
		next := th.next
		if th.waitKey == a && th.waitBits&bits != 0 {
			q.remove(th)
			th.end(t, 0)
			sched.Ready(cpu, t, false)
			if woken++; woken >= n {
				break
			}
		}
		t = next
	}
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

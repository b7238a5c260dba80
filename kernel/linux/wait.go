package linux

import (
	"sync/atomic"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/lockfree"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// Wait queues.
//
// A call that has to wait has no kernel stack to sleep on: it links its thread into a queue, parks the task and returns. The rest
// of the call is either its result, which the waker puts into RAX, or the call itself once more, from its SYSCALL instruction.
//
// Three parties may end a sleep: a waker that found the thread on the queue, the time-out, and a signal. Invariant: a thread is
// parked by sleep if and only if it is linked, and both change together under the lock of its queue. So whoever unlinks a thread
// owns its wakeup, and until sched.Ready its registers; the two that lost find it gone. The scheduler checks that the thread sleeps:
// one who broke the rule is found out instead of corrupting a task.
//
// The time-out and the signal come with a thread and have to find its queue: waitOn. They read it without the lock, take the lock
// of the queue it names and read it again; a queue is part of a type-stable record, so that locking one that the thread has left
// is harmless. waitOn, the links, waitKey, waitBits, waitMode and waitSeq are written under the lock of the queue that waitOn names
// or is about to name. A time-out is for one sleep only: it compares waitSeq.
//
// No signal is lost between a thread's last look and its sleep: the sender sets pending and Attn, then reads waitOn (alert);
// the sleeper sets waitOn, then reads Attn (enter). One of the two sees the other. A sender that saw waitOn set waits for the
// lock, and finds the thread parked.
//
// No wakeup is lost: the sleeper checks its condition under the lock of the queue, the waker makes it true before or under it.
//
// Lock order: a queue's lock, then the scheduler's. Nothing else is taken under a queue's lock except another queue's by futex
// requeue, in address order. The holder may touch user memory, whose page fault may have to wait until another CPU's unmapping is
// done, which waits for this CPU's TLB: so lock acknowledges shootdowns while it spins. Progress: blocking on the queue's lock
// only, held for one wakeup per thread woken.

// queue is a FIFO of parked threads. Its zero value is empty. The lock may also protect the object that the queue belongs to.
type queue struct {
	spin       lockfree.SpinLock
	head, tail sched.ID
}

// lock inlines: a free queue is one exchange.
func (q *queue) lock(cpu int) {
	if !q.spin.TryLock() {
		q.await(cpu)
	}
}

func (q *queue) await(cpu int) {
	for q.spin.Held() || !q.spin.TryLock() {
		vm.Poll(cpu)
		asm.Pause()
	}
}

func (q *queue) unlock() { q.spin.Unlock() }

// mode says how a sleep ends.
type mode uint8

const (
	again     mode = 1 << iota // a wakeup runs the call again, which looks for itself
	noRestart                  // a signal handler ends the call with EINTR even under SA_RESTART
	quiet                      // the time-out is what was asked for: 0, not ETIMEDOUT

	// In Thread.interrupted only.
	stopped // a signal ended the sleep
	handled // a handler ran before the call did: it may look for what woke it, but not sleep
)

// syscallLength is the length of the SYSCALL instruction, 0F 05.
const syscallLength = 2

// sleep parks thread t, whose registers are c, on q under key until wakeOne or wakeAll with that key, the deadline (ns of now, 0:
// none) or a signal. A call that may restart for another reason than a signal passes again; one with a deadline is never
// restarted after a signal handler has run (signal(7)). EINTR: such a handler ran after the wakeup and before the call, and what
// woke it is gone.
//
// Preconditions: q is locked; t is current on cpu. On return q is unlocked and t belongs to its waker: sleep returns blocked, and
// so does the caller. After EINTR it goes on, unparked.
//
//go:nosplit
func sleep(cpu int, t sched.ID, c *sched.Context, q *queue, key, deadline uint64, m mode) int64 {
	th := thread(t)
	if deadline != 0 {
		m |= noRestart
	}
	if m&again != 0 && th.interrupted&handled != 0 {
		q.unlock()
		return eintr
	}
	th.enter(t, q, key, ^uint32(0), deadline, m)
	if sched.Get(t).Attn.Load() != 0 && th.withdraw(cpu, c, q) {
		return blocked
	}
	if m&again != 0 {
		c.RIP -= syscallLength // RAX still holds the number
	}
	th.waitSeq = sched.Park(cpu, t, deadline)
	q.unlock()
	return blocked
}

// enter links the thread, which is about to sleep: under key, for wakers that have one of bits. Then its caller looks at Attn. It
// inlines.
func (th *Thread) enter(t sched.ID, q *queue, key uint64, bits uint32, deadline uint64, m mode) {
	th.waitKey, th.waitBits, th.waitMode = key, bits, m
	q.push(t, th)
	th.waitOn.Store(queueAddress(q)) // pairs with the load in interrupt
	th.resume, th.interrupted = deadline, 0
}

// withdraw takes back enter and unlocks the queue, if there is a signal to be taken first; the call is set to run again, and the trap
// exit told of the signal.
func (th *Thread) withdraw(cpu int, c *sched.Context, q *queue) bool {
	if th.deliverable() == 0 {
		return false
	}
	q.remove(th)
	q.unlock()
	th.interrupted = th.waitMode | stopped
	c.RIP -= syscallLength
	sched.Look(cpu)
	return true
}

// callDeadline is the deadline of a call that sleeps: that of its first execution if it is being run again, else fresh. A call
// that was run again for its time-out finds the deadline passed.
func callDeadline(t sched.ID, fresh uint64) uint64 {
	if d := thread(t).resume; d != 0 {
		return d
	}
	return fresh
}

// wakeOne wakes the thread that has waited longest under key, with that result for its call, and says whether there was one.
// Preconditions: q is locked.
func wakeOne(cpu int, q *queue, key uint64, result int64) bool {
	return wakeBits(cpu, q, key, ^uint32(0), 1, result) != 0
}

// wakeAll wakes every thread that waits under key and returns how many. Preconditions: q is locked.
func wakeAll(cpu int, q *queue, key uint64, result int64) int {
	return wakeBits(cpu, q, key, ^uint32(0), 1<<31, result)
}

// wakeBits wakes up to n > 0 threads, oldest first, that wait under key with a bit in common.
func wakeBits(cpu int, q *queue, key uint64, bits uint32, n int, result int64) int {
	woken := 0
	for t := q.head; t != 0; {
		th := thread(t)
		next := th.next
		if th.waitKey == key && th.waitBits&bits != 0 {
			q.remove(th)
			th.end(t, result)
			sched.Ready(cpu, t, false)
			if woken++; woken >= n {
				break
			}
		}
		t = next
	}
	return woken
}

// end gives the call of th, which was just unlinked, its result, unless it looks again. The caller makes the thread Ready.
func (th *Thread) end(t sched.ID, result int64) {
	tk := th.claim(t)
	if th.waitMode&again != 0 {
		th.interrupted = th.waitMode
	} else {
		th.resume = 0
		tk.Ctx.RAX = uint64(result)
	}
}

// claim takes the thread out of its sleep.
func (th *Thread) claim(t sched.ID) *sched.Task {
	tk := sched.Get(t)
	if !tk.End() {
		panic("linux: a linked thread was not parked")
	}
	return tk
}

// onTimeout is the scheduler's hook: the deadline of sleep seq of thread t has passed.
func onTimeout(cpu int, t sched.ID, seq uint64) {
	th := thread(t)
	q := th.lockQueue(cpu)
	if q == nil {
		return
	}
	if th.waitSeq == seq {
		result := etimedout
		if th.waitMode&quiet != 0 {
			result = 0
		}
		// The call ends here in any mode: a handler that ran before it ran again
		// would have it forget since when it waits.
		if th.waitMode&again != 0 {
			th.waitMode &^= again
			sched.Get(t).Ctx.RIP += syscallLength
		}
		q.remove(th)
		th.end(t, result)
		sched.Ready(cpu, t, false)
	}
	q.unlock()
}

// interrupt ends the sleep of thread t for a signal, if it sleeps, and says whether it did. The call is set to run again; Deliver
// turns that into EINTR where a handler runs. So a signal that another thread took meanwhile disturbs nothing.
func interrupt(cpu int, t sched.ID, th *Thread) bool {
	q := th.lockQueue(cpu)
	if q == nil {
		return false
	}
	q.remove(th)
	tk := th.claim(t)
	th.interrupted = th.waitMode | stopped
	if th.waitMode&again == 0 {
		tk.Ctx.RIP -= syscallLength
	}
	sched.Ready(cpu, t, true)
	q.unlock()
	return true
}

// lockQueue locks and returns the queue that th is parked on, or nil. The address in waitOn is that of a queue in type-stable
// memory that no collector moves or frees.
func (th *Thread) lockQueue(cpu int) *queue {
	for {
		at := th.waitOn.Load()
		if at == 0 {
			return nil
		}
		q := (*queue)(kernelPtr(at))
		q.lock(cpu)
		if th.waitOn.Load() == at {
			return q
		}
		q.unlock()
	}
}

func queueAddress(q *queue) uintptr { return uintptr(unsafe.Pointer(q)) }

// push links thread t at the tail.
func (q *queue) push(t sched.ID, th *Thread) {
	th.next, th.prev = 0, q.tail
	if q.tail != 0 {
		thread(q.tail).next = t
	} else {
		q.head = t
	}
	q.tail = t
}

// remove unlinks th and clears waitOn: from here neither time-out nor signal finds it.
func (q *queue) remove(th *Thread) {
	q.unlink(th)
	th.waitOn.Store(0)
}

// shift is remove of the first.
func (q *queue) shift(th *Thread) {
	if q.head = th.next; q.head != 0 {
		thread(q.head).prev = 0
	} else {
		q.tail = 0
	}
	th.waitOn.Store(0)
}

// unlink takes th out of the list; waitOn still names the queue, until the caller says otherwise under the same lock.
func (q *queue) unlink(th *Thread) {
	if th.prev != 0 {
		thread(th.prev).next = th.next
	} else {
		q.head = th.next
	}
	if th.next != 0 {
		thread(th.next).prev = th.prev
	} else {
		q.tail = th.prev
	}
}

// wait is the part of a Thread that belongs to its queue.
type wait struct {
	waitOn     atomic.Uintptr // address of the queue, 0: not asleep
	waitKey    uint64
	waitSeq    uint64 // sched.Park's; 0 where there may be no time-out
	next, prev sched.ID
	waitBits   uint32
	waitMode   mode

	// Written as resume is, but cleared here by the thread as it goes to sleep.
	interrupted mode // of the call that is to run again: how its sleep was to end, 0: no such
}

package linux

import (
	"sync/atomic"

	"pdac/kernel/sched"
)

// IRQWait (numbers.go) is a system call of this kernel's own, for drivers above the
// runtime: it takes a vector and the count that the caller saw last, 0 at first, and
// returns the vector's count of interrupts, as soon as that is another. EACCES:
// the caller's space may not drive devices. EINVAL: no such vector.

// interrupts counts them by vector. Each is written under its queue's lock.
var interrupts [256]struct {
	q     queue
	count atomic.Uint64
}

// IRQ counts an interrupt and wakes who waits for it. The count changes under the
// lock under which a waiter compares it, so that none sleeps through it.
func IRQ(cpu int, vector int) {
	v := &interrupts[vector&0xff]
	v.q.lock(cpu)
	count := v.count.Add(1)
	wakeAll(cpu, &v.q, waitIn, int64(count))
	v.q.unlock()
}

// IRQCount returns how many interrupts of a vector were counted. Callable from both
// worlds.
func IRQCount(vector int) uint64 { return interrupts[vector&0xff].count.Load() }

func sysIRQWait(cpu int, t sched.ID, c *sched.Context) int64 {
	if r := ask(cpu, FamilyMachine, RightDrive); r != 0 {
		return r
	}
	if c.RDI >= uint64(len(interrupts)) {
		return einval
	}
	v := &interrupts[c.RDI]
	v.q.lock(cpu)
	if count := v.count.Load(); count != c.RSI {
		v.q.unlock()
		return int64(count)
	}
	return sleep(cpu, t, c, &v.q, waitIn, 0, 0)
}

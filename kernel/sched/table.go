package sched

import (
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// table hands out the numbers 1, 2, ... of a virtual array's entries and takes them back. Numbers that came back are on a
// lock-free stack; the lock is taken only for a number that was never used, and held while memory is added.
type table struct {
	free   lockfree.Stack
	lock   lockfree.SpinLock
	usable uint32        // entries below have memory
	used   atomic.Uint32 // numbers below were handed out at least once; written under the lock
}

// firstStep is how many entries the first growth asks for; each further one doubles.
const firstStep = 64

// take returns a number below limit. grow makes the entries below n usable.
func (tb *table) take(cpu int, links []uint32, limit uint32, grow func(cpu int, n uint32) bool) (uint32, bool) {
	if n, ok := tb.free.Pop(links); ok {
		return n, true
	}
	tb.lock.Lock()
	n := max(tb.used.Load(), 1)
	if n >= tb.usable {
		want := min(max(2*tb.usable, firstStep), limit)
		if n >= want || !grow(cpu, want) {
			tb.lock.Unlock()
			return 0, false
		}
		tb.usable = want
	}
	tb.used.Store(n + 1)
	tb.lock.Unlock()
	return n, true
}

// reset empties the table, whose arrays are fresh.
func (tb *table) reset() {
	tb.free.PopAll()
	tb.usable = 0
	tb.used.Store(0)
}

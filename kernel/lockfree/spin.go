package lockfree

import (
	"sync/atomic"

	"pdac/asm"
)

// SpinLock excludes CPUs from each other: test and test-and-set (L. Rudolph and Z. Segall, "Dynamic
// Decentralized Cache Schemes for MIMD Parallel Processors", ISCA 1984), so that waiters spin on a
// shared copy of the cache line and only race for it when it was seen free. It is not fair; the
// sections that it guards are too short for that to matter, and each lock is listed with its
// longest hold.
//
// Preconditions of Lock: below the runtime, interrupts off, from before Lock until after Unlock. A
// goroutine that was preempted inside would leave others spinning.
//
// Progress: blocking.
type SpinLock struct {
	held uint32 // atomic: 0 free, 1 held
}

// Lock waits until the lock is the caller's. It inlines: a free lock is one exchange.
func (l *SpinLock) Lock() {
	if !l.TryLock() {
		l.wait()
	}
}

func (l *SpinLock) wait() {
	for l.Held() || !l.TryLock() {
		asm.Pause()
	}
}

// TryLock takes the lock if it is free and reports whether it did.
func (l *SpinLock) TryLock() bool { return atomic.SwapUint32(&l.held, 1) == 0 }

// Held reports whether anybody had the lock at the time of its load. A waiter that has other duties, such as acknowledging TLB
// shootdowns, does them until it was seen free and TryLock succeeds.
func (l *SpinLock) Held() bool { return atomic.LoadUint32(&l.held) != 0 }

// Release is Unlock for a caller of whom it is evident that it holds the lock: that is not checked, and the word's one writer may
// store it plainly. On x86 a store is seen after all loads and stores before it (SDM 3A, 9.2.2), which is all that a lock needs.
func (l *SpinLock) Release() { store32(&l.held, 0) }

// Unlock gives the lock back. It panics if nobody holds it.
func (l *SpinLock) Unlock() {
	if atomic.SwapUint32(&l.held, 0) == 0 {
		panic("lockfree: unlock of a free SpinLock")
	}
}

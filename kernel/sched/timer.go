package sched

import (
	"sync/atomic"

	"pdac/asm"
	"pdac/kernel/lockfree"
	"pdac/kernel/vm"
)

// Timer is the number of a timer that NewTimer returned, 1 and up; 0 is none.
type Timer = uint32

// TimerNode is the record of one timer: a Timer, or a task's sleep (sleep.go), in its Task or with a Timer's number. Nodes have one
// number space: those below len(Machine.Tasks) are tasks' numbers, Timers follow.
type TimerNode struct {
	deadline          uint64 // ns; this, seq and the links: under the lock of the queue that it is in, a sleep's its CPU's own
	seq               uint64 // of the sleep
	child, next, prev uint32 // see heap.go

	// home is 1 + the CPU in whose queue or heap the node is, 0 for none. Only its owner (the parking task; for a Timer the caller,
	// who keeps calls apart) sets it from 0; whoever unlinks it sets it to 0. Both under that queue's lock, or by that CPU.
	home atomic.Uint32
	task atomic.Uint32 // whose sleep it is, 0: a Timer

	// OnTimer callbacks so far: begun is raised under the lock that unlinks, before home is 0, ended afterwards.
	begun, ended atomic.Uint32
}

// timerQueue holds the Timers that were armed on one CPU; none is on the way of a wakeup or switch. Only that CPU adds and expires; any
// CPU removes.
// The lock is held for heap operations only: logarithmic, amortized; at worst one pass over the children of the root.
// Lock order: a caller's lock, this, none.
type timerQueue struct {
	lock  lockfree.SpinLock
	root  uint32
	count uint32
	first atomic.Uint64 // deadline of the root, Never if none; written under the lock, read by the CPU
}

var (
	timerTable table
	onTimeout  func(cpu int, t ID, seq uint64)
	onTimer    func(cpu int, tm Timer)
)

// OnTimeout sets, at boot, what is called when a sleep's deadline passes and the task still sleeps in it. It decides the
// result and calls Wake, which may fail if another was faster. Without it the task is woken with NoResult.
func OnTimeout(f func(cpu int, t ID, seq uint64)) { onTimeout = f }

// OnTimer sets, at boot, what is called when a Timer expires, on the CPU that armed it, with no lock held. It may call ArmTimer.
func OnTimer(f func(cpu int, tm Timer)) { onTimer = f }

func node(n uint32) *TimerNode {
	if n < uint32(len(tasks)) {
		return &Get(n).sleep
	}
	return &machine.Timers[n-uint32(len(tasks))]
}

func (q *timerQueue) setFirst() {
	first := uint64(Never)
	if q.root != 0 {
		first = node(q.root).deadline
	}
	q.first.Store(first)
}

// insert arms a node that is in no queue, on the calling CPU.
func (q *timerQueue) insert(cpu int, n uint32, nd *TimerNode, deadline uint64) {
	q.lock.Lock()
	nd.deadline = deadline
	nd.home.Store(uint32(cpu) + 1)
	q.root = heapInsert(q.root, n, nd)
	q.count++
	q.setFirst()
	q.lock.Unlock()
}

// remove takes a node out of the queue that it is in, if any. Only its owner may call it, so that a node that is found in
// no queue stays there.
func (nd *TimerNode) remove(n uint32) bool {
	for {
		home := nd.home.Load()
		if home == 0 {
			return false
		}
		q := &on(int(home) - 1).timers
		q.lock.Lock()
		in := nd.home.Load() == home
		if in {
			q.root = heapRemove(q.root, n, nd)
			q.count--
			nd.home.Store(0)
			q.setFirst()
		}
		q.lock.Unlock()
		if in {
			return true
		}
	}
}

// expire calls back for each timer that is due, in the order of their deadlines.
func (q *timerQueue) expire(cpu int, c *CPU, now uint64) {
	for q.first.Load() <= now {
		q.lock.Lock()
		n := q.root
		if n == 0 || node(n).deadline > now {
			q.lock.Unlock() // removed by another CPU since
			continue
		}
		nd := node(n)
		q.root = heapRemove(n, n, nd)
		q.count--
		q.setFirst()
		nd.begun.Add(1)
		nd.home.Store(0)
		q.lock.Unlock()

		c.firing = n - uint32(len(tasks))
		if onTimer != nil {
			onTimer(cpu, c.firing)
		}
		c.firing = 0
		nd.ended.Add(1)
	}
}

// NewTimer takes a timer; ok is false when there is none or no memory for one.
func NewTimer(cpu int) (tm Timer, ok bool) {
	return timerTable.take(cpu, machine.TimerLinks, uint32(len(machine.Timers)), machine.GrowTimers)
}

// FreeTimer disarms a timer and gives its number back. As for DisarmTimer.
func FreeTimer(cpu int, tm Timer) {
	DisarmTimer(cpu, tm)
	timerTable.free.Push(machine.TimerLinks, tm)
}

// ArmTimer makes OnTimer be called for tm on the calling CPU at deadline (ns) or soon after; an earlier deadline is
// forgotten, but a callback for it may already be running. The caller keeps calls for one timer apart.
func ArmTimer(cpu int, tm Timer, deadline uint64) {
	c, n, nd := on(cpu), tm+uint32(len(tasks)), &machine.Timers[tm]
	nd.remove(n)
	c.timers.insert(cpu, n, nd, deadline)
	if deadline < c.armed {
		c.need.Or(evaluate) // Leave arms
	}
}

// DisarmTimer disarms a timer and reports whether it was armed. After it returns no callback for the timer runs or will.
// It waits for one that runs, on which it spins, so the caller must hold no lock that the callback takes; and no other may
// arm the timer meanwhile but the callback. The callback may wait for a lock whose holder waits for a TLB shootdown, so the
// spin acknowledges those. From within the timer's own callback it does not wait for that.
func DisarmTimer(cpu int, tm Timer) (armed bool) {
	n, nd := tm+uint32(len(tasks)), &machine.Timers[tm]
	own := int32(0)
	if on(cpu).firing == tm {
		own = 1
	}
	for {
		if nd.remove(n) {
			armed = true
		}
		begun := nd.begun.Load()
		for int32(begun-nd.ended.Load()) > own {
			vm.Poll(cpu)
			asm.Pause()
		}
		// Nothing ran just now. If it is not armed, nor was since begun was read, nobody is left who would arm it.
		if nd.home.Load() == 0 && nd.begun.Load() == begun {
			return armed
		}
	}
}

package sched

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/lockfree"
)

// Handing a CPU over.

// Unpark makes a task READY whose sleep is the caller's alone to end, since it took the task from where all others would have found
// it; its system call returns 0. Else as Ready. A task that does not sleep is a broken invariant.
//
//go:nosplit
func Unpark(cpu int, t ID, now uint64) {
	c, tk := on(cpu), Get(t)
	if tk.cpu.Load() != uint32(cpu) {
		unparkAny(cpu, t)
		return
	}
	if c.bits.Load()|lotteries.Load() != 0 {
		unparkAny(cpu, t)
		return
	}
	n, b := tk.node, tk.weight.Load()&0xff
	if b < c.below.Load() {
		unparkAny(cpu, t)
		return
	}
	if only := tk.affine.Load(); only != 0 && only != uint32(cpu)+1 && !tk.allows(cpu) {
		unparkAny(cpu, t)
		return
	}
	tk.Ctx.RAX, tk.readySince = 0, now
	w := tk.state.Add(numberOne + uint64(StateReady) - uint64(StateBlocked))
	if State(w) != StateReady {
		panic("sched: Unpark of a task that was not parked")
	}
	e := w + uint64(t) - uint64(StateReady)
	if tk.Attn.Load() != 0 { // as in queue
		unparkUrgent(cpu, e, n, now)
		return
	}
	tally(&c.wakeups, 1)
	c.frontNode, c.frontBand, c.frontSince = n, b, now
	c.front.Store(e)
	c.bits.Or(1 << frontBit)
	if someIdle() {
		offer(cpu, t)
	}
}

func unparkUrgent(cpu int, e uint64, n uint32, now uint64) {
	on(cpu).enter(urgentBand, e, n, now)
	kick(cpu, cpu, evaluate|preempt)
}

// unparkAny is Unpark for all cases.
func unparkAny(cpu int, t ID) {
	tk := Get(t)
	if !tk.End() {
		panic("sched: Unpark of a task that was not parked")
	}
	tk.Ctx.RAX = 0
	Ready(cpu, t, false)
}

func someIdle() bool { return idleWords[0].bits.Load() != 0 || nIdleWords > 1 && anyIdle() }

func tally(n *atomic.Uint64, v uint64) { *(*uint64)(unsafe.Pointer(n)) += v }

// Sleep is Park without a deadline, gives lock back, which the caller holds, and goes on with another task: next is the one that is
// current now, if that was found without Leave, else 0. A waker that takes the lock finds the task parked.
//
//go:nosplit
func Sleep(cpu int, t ID, lock *lockfree.SpinLock, now uint64) (next ID) {
	c, tk := on(cpu), Get(t)
	if c.bits.Load() != 1<<frontBit {
		return sleepAny(cpu, t, lock)
	}
	if lotteries.Load() != 0 {
		return sleepAny(cpu, t, lock)
	}
	tally(&tk.cpuTime, now-c.since)
	end, weight := tk.quantumEnd, tk.weight.Load()
	c.since, tk.quantumEnd = now, 0
	tk.state.Add(numberOne + uint64(StateBlocked) - uint64(StateRunning))
	lock.Unlock()

	e := c.front.Swap(0)
	c.bits.And(^uint64(1 << frontBit))
	next = named(e)
	tk = Get(next)
	if w := e - uint64(next) + uint64(StateReady); !tk.state.CompareAndSwap(w, w+uint64(StateRunning)-uint64(StateReady)) {
		return c.sleepStale()
	}
	tk.node = c.frontNode
	if only := tk.affine.Load(); only != 0 && only != uint32(cpu)+1 && !tk.allows(cpu) {
		return c.sleepElsewhere(cpu, next)
	}
	tally(&tk.switches, 1)
	tally(&c.switches, 1)
	tally(&tk.waitTime, now-tk.readySince)
	*(*ID)(unsafe.Pointer(&c.cur)) = next
	if tk.weight.Load() != weight {
		return c.sleepBegin(cpu, next, now)
	}
	tk.quantumEnd = end
	return next
}

func (c *CPU) sleepBegin(cpu int, t ID, now uint64) ID {
	c.begin(cpu, Get(t), now)
	return t
}

func sleepAny(cpu int, t ID, lock *lockfree.SpinLock) ID {
	Park(cpu, t, 0)
	lock.Unlock()
	return 0
}

func (c *CPU) sleepStale() ID {
	spares.Push(nodeLinks, c.frontNode)
	c.cur.Store(0)
	c.need.Or(evaluate)
	return 0
}

func (c *CPU) sleepElsewhere(cpu int, t ID) ID {
	c.cur.Store(0)
	c.need.Or(evaluate)
	Get(t).move(StateRunning, StateWaking) // its affinity changed while it was queued
	Ready(cpu, t, false)
	return 0
}

// End is Claim of whatever sleep the task is in, for a caller who knows that nobody else can end it.
func (tk *Task) End() bool {
	_, seq := tk.State()
	return tk.Claim(seq)
}

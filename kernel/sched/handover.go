package sched

import (
	"unsafe"

	"pdac/kernel/lockfree"
)

// Handing the CPU over. Threads that wait for each other wake one, sleep soon after, and are woken by it. Where nothing else waits, the
// woken one is in its CPU's lone slot (runq.go), and its waker's sleep or sched_yield takes it from there and goes on with it: no choice
// between bands, no Leave. In the slot it is READY as any other: idle CPUs are offered it, thieves, signals and changes of affinity find
// it there, and so does a timer's Leave. Nobody is passed over, since the slot is used only while no band may hold an entry.
//
// Who is handed the CPU by a task of the same class, priority and tickets goes on in that one's quantum. So the timer stays armed, and
// two that wake each other count as one when others come to wait: at the end of their quantum both are behind these.
//
// All else, lotteries, traces and homes among it, is done by Ready, Park, Yield and Leave. What is common comes first, as tests whose failure calls the function for all cases
// in return, so that nothing is to be kept across a call.

// Unpark makes a task READY whose sleep is the caller's alone to end, since it took the task from where all others would have found it;
// its system call returns 0. now is the time. Else as Ready. A task that does not sleep is a broken invariant.
//
//go:nosplit
func Unpark(cpu int, t ID, now uint64) {
	c, tk := on(cpu), Get(t)
	if tk.cpu.Load() != uint32(cpu) {
		unparkAny(cpu, t)
		return
	}
	if c.bits.Load()|lotteries.Load()|uint64(tracing.Load()) != 0 {
		unparkAny(cpu, t)
		return
	}
	if tk.affine.Load() > masked { // it may have to go home
		unparkAny(cpu, t)
		return
	}
	if tk.weight.Load()&0xff < c.below.Load() {
		unparkAny(cpu, t)
		return
	}
	if !c.lone.CompareAndSwap(0, reserved) {
		unparkAny(cpu, t)
		return
	}
	tk.Ctx.RAX, tk.readySince = 0, now
	const up = numberOne + uint64(StateReady) - uint64(StateBlocked)
	w := tk.state.Add(fromBlocked) - fromBlocked
	if State(w) != StateBlocked {
		panic("sched: Unpark of a task that was not parked")
	}
	c.lone.Store(w + numberOne - uint64(StateBlocked) + uint64(t)) // the entry, as stay makes it
	c.wakeups.Add(1)
	if tk.Attn.Load() != 0 { // READY first: as in queue
		unparkUrgent(cpu, t)
		return
	}
	if someIdle() { // queued first: as in Ready
		offer(cpu, t)
	}
}

// unparkAny is Unpark for all cases. A task whose affinity changed in its sleep is found out here or when its turn comes.
func unparkAny(cpu int, t ID) {
	tk := Get(t)
	if !tk.End() {
		panic("sched: Unpark of a task that was not parked")
	}
	tk.Ctx.RAX = 0
	Ready(cpu, t, false)
}

// unparkUrgent is for a task with a deliverable signal.
func unparkUrgent(cpu int, t ID) {
	on(cpu).urge(t, Get(t))
	kick(cpu, cpu, evaluate|preempt)
}

// Sleep is Park without a deadline, of the current task whose registers ctx is; it gives lock back, which the caller holds, so that who
// takes the lock then finds the task parked. now is the time. next is the task that is current now if Sleep found it, 0 if Leave must.
//
//go:nosplit
func Sleep(cpu int, ctx *Context, lock *lockfree.SpinLock, now uint64) (next ID) {
	c, tk := on(cpu), taskOf(ctx)
	if c.bits.Load()|lotteries.Load()|uint64(tracing.Load()) != 0 {
		return sleepAny(cpu, lock)
	}
	e := c.lone.Load()
	if e <= reserved {
		return sleepAny(cpu, lock)
	}
	tk.cpuTime.Add(now - c.since)
	end, weight := tk.quantumEnd, tk.weight.Load()
	c.since, tk.quantumEnd = now, 0
	tk.state.Add(numberOne + uint64(StateBlocked) - uint64(StateRunning))
	lock.Release()

	next = named(e)
	tk = Get(next)
	c.lone.CompareAndSwap(e, 0)
	if !run(e) { // a thief was faster
		return c.leaveAny()
	}
	if tk.affine.Load() != 0 && !tk.allows(cpu) {
		return c.leaveBarred(cpu, next)
	}
	c.cur.Store(next)
	c.switches.Add(1)
	tk.switches.Add(1)
	tk.waitTime.Add(now - tk.readySince)
	if tk.quantumEnd = end; tk.weight.Load() != weight {
		return c.beginAnew(cpu, next, now)
	}
	return next
}

// sleepAny is Sleep for all cases.
func sleepAny(cpu int, lock *lockfree.SpinLock) ID {
	Park(cpu, Current(cpu), 0)
	lock.Release()
	return 0
}

// PassTurn is Yield by the current task t at the time now. next is as for Sleep, or 0 where nobody else waits.
//
//go:nosplit
func PassTurn(cpu int, t ID, now uint64) (next ID) {
	c, tk := on(cpu), Get(t)
	if c.bits.Load()|lotteries.Load()|uint64(tracing.Load()) != 0 {
		return yieldAny(cpu, t)
	}
	e := c.lone.Load()
	if e <= reserved {
		return 0
	}
	if !c.lone.CompareAndSwap(e, reserved) {
		return yieldAny(cpu, t)
	}
	tk.cpuTime.Add(now - c.since)
	end, weight := tk.quantumEnd, tk.weight.Load()
	c.since, tk.quantumEnd, tk.readySince = now, 0, now
	c.lone.Store(tk.stay(t, fromRunning))
	if tk.Attn.Load() != 0 { // READY first: as in queue
		c.urge(t, tk)
		c.need.Or(evaluate | preempt) // the next one runs before it until the trap exit asks Leave
	}

	next = named(e)
	tk = Get(next)
	if !run(e) { // a thief was faster
		return c.leaveAny()
	}
	if someIdle() { // queued first: as in Ready
		offer(cpu, t)
	}
	if tk.affine.Load() != 0 && !tk.allows(cpu) {
		return c.leaveBarred(cpu, next)
	}
	c.cur.Store(next)
	c.switches.Add(1)
	tk.switches.Add(1)
	tk.waitTime.Add(now - tk.readySince)
	if tk.quantumEnd = end; tk.weight.Load() != weight {
		return c.beginAnew(cpu, next, now)
	}
	return next
}

// yieldAny is PassTurn for all cases.
func yieldAny(cpu int, t ID) ID {
	Yield(cpu, t)
	return 0
}

// beginAnew gives a task that was handed the CPU a quantum of its own.
func (c *CPU) beginAnew(cpu int, t ID, now uint64) ID {
	tk := Get(t)
	tk.quantumEnd = 0
	c.begin(cpu, tk, now)
	if c.outranked(c.below.Load()) { // by who came since: as in Leave, which the trap exit asks then
		c.need.Or(evaluate | preempt)
	}
	return t
}

// leaveBarred is for a task that was to run here but may not any more.
func (c *CPU) leaveBarred(cpu int, t ID) ID {
	Get(t).move(StateRunning, StateWaking)
	c.leaveAny()
	Ready(cpu, t, false)
	return 0
}

// leaveAny leaves it to Leave whom to go on with.
func (c *CPU) leaveAny() ID {
	c.cur.Store(0)
	c.need.Or(evaluate)
	return 0
}

// taskOf returns the task whose registers ctx is.
func taskOf(ctx *Context) *Task {
	return (*Task)(unsafe.Add(unsafe.Pointer(ctx), -int(unsafe.Offsetof(Task{}.Ctx))))
}

// someIdle is anyIdle, which looks no further than it has to on a machine of one word of CPUs. It inlines.
func someIdle() bool { return idleWords[0].bits.Load() != 0 || nIdleWords > 1 && anyIdle() }

// End is Claim of whatever sleep the task is in, for a caller who knows that nobody else can end it.
func (tk *Task) End() bool {
	_, seq := tk.State()
	return tk.Claim(seq)
}

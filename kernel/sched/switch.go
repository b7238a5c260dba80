package sched

import "unsafe"

// Current returns the task that runs on the calling CPU, 0 while there is none.
func Current(cpu int) ID { return on(cpu).cur.Load() }

// NeedLeave reports whether Leave has anything to do but return Current. It inlines.
func NeedLeave(cpu int) bool { return on(cpu).need.Load() != 0 }

// Look makes the trap exit that follows call Leave, and so look at the Attn of the task that it goes back to.
func Look(cpu int) { on(cpu).need.Or(evaluate) }

// NeedOf returns the address of the word, a uint32, that is not 0 when NeedLeave is true: for the trap exit. After Init.
func NeedOf(cpu int) uintptr { return uintptr(unsafe.Pointer(&on(cpu).need)) }

// detach takes the current task off its CPU at time now, for Park and Exit: Leave finds none. It inlines.
func (c *CPU) detach(t ID, tk *Task, now uint64) {
	if c.cur.Load() != t {
		panic("sched: not the current task")
	}
	c.charge(tk, now)
	c.cur.Store(0)
	c.need.Store(evaluate) // a preempt that this overwrites is done by what follows anyway
}

// charge adds to the current task's CPU time what it has used.
func (c *CPU) charge(tk *Task, now uint64) {
	tk.cpuTime.Add(now - c.since)
	c.since = now
}

// Park blocks the current task until Wake names the returned number; at deadline (ns; 0: never) OnTimeout is called with it.
//
// Once the state is stored another CPU may run the task, so neither caller nor Park touches it afterwards. Whoever is to
// wake it has to learn the number: publish NextSeq before, or hold the lock under which the waker looks across Park.
// A signal that came after the caller last looked at Attn has seen a RUNNING task and only interrupted it: the caller
// loads Attn once more after Park, and if it is set interrupts the sleep as any other CPU would, by Claim.
//
// Preconditions: the context is saved in Ctx, with the result of a restart in place; t is RUNNING on cpu.
//
//go:nosplit
func Park(cpu int, t ID, deadline uint64) (seq uint64) {
	now := machine.Now() // first: there is little yet to keep across the call
	c, tk := on(cpu), Get(t)
	c.detach(t, tk, now)
	if deadline != 0 {
		armSleep(cpu, c, t, tk, deadline, tk.NextSeq())
	}
	if lotteries.Load() != 0 {
		c.compensate(tk, now)
	}
	tk.quantumEnd = 0
	trace(cpu, EventPark, t, 0)
	return tk.state.Add(numberOne+uint64(StateBlocked)-uint64(StateRunning)) >> numberShift
}

// Yield lets the others of the CPU's queue run before the current task, if there are any; it takes effect in Leave.
func Yield(cpu int, t ID) {
	c := on(cpu)
	if !c.empty() {
		c.yield = true
		c.need.Or(evaluate)
	}
}

// Tick answers the interrupt of the timer that Machine.Arm armed: it runs what is due. Leave looks at the quantum.
func Tick(cpu int) {
	c := on(cpu)
	c.armed = Never
	c.need.Or(evaluate) // Leave arms the timer again
	now := machine.Now()
	c.sleeps.expire(cpu, now)
	c.timers.expire(cpu, c, now)
	if now >= c.nextAverage && c.cur.Load() != 0 {
		c.balance(cpu, now)
	}
}

// Leave returns the task that the CPU runs from here on, now RUNNING, or 0: halt until an interrupt. It is the last thing
// that a trap, and the idle loop, asks. The timer is armed when Leave returns.
//
//go:nosplit
func Leave(cpu int) ID {
	c := on(cpu)
	if c.need.Load() == 0 {
		return c.cur.Load()
	}
again:
	why := c.need.Swap(0) // first: what comes after is seen by the next Leave
	now := c.since        // when the last task left: a switch reads the clock once
	var t ID
	var tk *Task
	if c.cur.Load() == 0 {
		t = c.pop()
		if tk = Get(t); t == 0 || c.idle || tk.affine.Load() != 0 {
			if now, t = c.search(cpu, now, t); t == 0 {
				return 0
			}
			tk = Get(t)
		}
	} else {
		if now, t = c.contend(cpu, why); t == 0 {
			if t = c.cur.Load(); t != 0 && c.others(cpu) {
				goto again
			}
			return t
		}
		tk = Get(t)
	}

	// t is RUNNING here: it becomes the current task.
	c.cur.Store(t)
	trace(cpu, EventRun, t, 0)
	c.switches.Add(1)
	tk.switches.Add(1)
	if now > tk.readySince { // it is not where the clock was read before the task was queued
		tk.waitTime.Add(now - tk.readySince)
	}
	c.begin(cpu, tk, now)
	if c.bits.Load()|c.lone.Load() != 0 && c.others(cpu) {
		goto again
	}
	return t
}

// others looks, once below is stored, at those who wait. True: somebody is more urgent than the task that was chosen, who came after the
// choice and saw the below of the task before: the pair of push, then below, in Ready. Else one is offered to idle CPUs, who may have left
// it to us (offers), or looked while a band's bit was clear (hide).
func (c *CPU) others(cpu int) (again bool) {
	if c.outranked(c.below.Load()) {
		c.need.Or(evaluate | preempt)
		return Get(c.cur.Load()).Attn.Load() == 0 // else it is urgent itself, until the trap exit delivers its signal, which then asks again
	}
	if !c.empty() && anyIdle() {
		c.share(cpu)
	}
	return false
}

// begin gives the task that is to run what is left of its quantum, or a new one.
//
//go:nosplit
func (c *CPU) begin(cpu int, tk *Task, now uint64) {
	below := tk.weight.Load() & 0xff // its band, under RoundRobin
	left := tk.quantumEnd
	if left == 0 {
		if left = uint64(tk.quantum.Load()); left == 0 {
			left = quanta[(below-firstBand)/bandsPerClass&3].Load()
		}
	}
	tk.quantumEnd = now + left
	if c.protected || lotteries.Load() != 0 {
		below = c.beginDrawn(tk)
	}
	c.below.Store(below)
	c.arm(cpu, tk.quantumEnd)
}

// beginDrawn is the part of begin that few tasks need. It returns the band below which others preempt the task.
//
//go:noinline
func (c *CPU) beginDrawn(tk *Task) uint32 {
	tk.boost.Store(0)
	if c.protected {
		c.protected = false
		return urgentBand + 1
	}
	return tk.preemptedBelow()
}

// search finds a task for a CPU that has none: t, which is RUNNING here, if its affinity still allows. t is 0 when there is none; the
// CPU is idle then. now is that of an idle CPU's wakeup.
func (c *CPU) search(cpu int, now uint64, t ID) (uint64, ID) {
	if c.idle {
		now = machine.Now()
		c.since = now
	}
	for from := cpu; ; {
		if t == 0 {
			if t, from = c.seek(cpu); t == 0 {
				c.sleep(cpu, now)
				return now, 0
			}
		}
		tk := Get(t)
		if tk.mayRun(cpu) {
			if c.idle {
				c.busy(cpu, now)
			}
			if victim := on(from); from != cpu && !victim.empty() {
				c.takeHalf(cpu, victim)
				if anyIdle() {
					victim.share(cpu) // the next idle CPU takes the next
				}
			}
			return now, t
		}
		tk.move(StateRunning, StateWaking) // its affinity changed while it was queued
		Ready(cpu, t, false)
		t = c.pop()
	}
}

// contend decides between the current task and those that wait. It returns the task that takes its place, RUNNING; t is 0 when none
// does, and the CPU goes on with its current task or is idle.
//
//go:nosplit
func (c *CPU) contend(cpu int, why uint32) (now uint64, t ID) {
	now = machine.Now()
	cur := c.cur.Load()
	tk := Get(cur)
	c.charge(tk, now)
	yield := c.yield
	c.yield = false
	if tk.affine.Load() != 0 && !tk.allows(cpu) {
		c.cur.Store(0)
		tk.quantumEnd = 0
		trace(cpu, EventPreempt, cur, 0)
		tk.move(StateRunning, StateWaking)
		Ready(cpu, cur, false)
		t = c.pop()
		return c.search(cpu, now, t)
	}
	switch {
	case c.empty():
		c.stay(cpu, tk, now)
		return now, 0
	case yield: // to whoever it may be: the task may wait for what a less urgent one has
		if t = c.pop(); t == 0 {
			c.stay(cpu, tk, now)
			return now, 0
		}
		if lotteries.Load() != 0 {
			c.compensate(tk, now)
		}
		fallthrough
	case now >= tk.quantumEnd:
		tk.quantumEnd, tk.readySince = 0, now // while it is still ours
		c.queue(cur, tk, fromRunning, false)
	case why&preempt != 0 && c.outranked(c.below.Load()):
		tk.quantumEnd -= now
		tk.readySince = now
		c.toFront(cur, tk, now)
	default:
		c.stay(cpu, tk, now)
		return now, 0
	}
	if t == 0 {
		if t = c.pop(); t == cur && tk.mayRun(cpu) {
			c.begin(cpu, tk, now)
			return now, 0
		}
	}
	c.preemptions.Add(1)
	trace(cpu, EventPreempt, cur, 0)
	if anyIdle() { // queued, then look: as Ready does
		offer(cpu, cur)
	}
	if t == 0 || Get(t).affine.Load() != 0 {
		c.cur.Store(0)
		return c.search(cpu, now, t)
	}
	return now, t
}

// outranked reports whether something in the queue is more urgent than band below.
func (c *CPU) outranked(below uint32) bool {
	e := c.lone.Load()
	return c.bits.Load()&(1<<below-1)&^(1<<frontBit) != 0 || e > reserved && Get(named(e)).band() < below
}

// stay goes on with the current task.
func (c *CPU) stay(cpu int, tk *Task, now uint64) {
	over := now >= tk.quantumEnd
	if over {
		tk.quantumEnd = now + tk.slice()
	}
	if over || c.below.Load() != urgentBand+1 { // else it was overdue, and is protected for its quantum
		c.below.Store(tk.preemptedBelow())
	}
	c.arm(cpu, tk.quantumEnd)
}

// busy ends the CPU's idle time.
func (c *CPU) busy(cpu int, now uint64) {
	c.claim(cpu) // lost: a claimer's IPI comes for nothing, or for a second task
	c.idle, c.leftSince = false, 0
	if since := c.idleSince.Load(); since != 0 {
		c.idleTime.Add(now - since)
		c.idleSince.Store(0)
		c.averaged = now
	}
}

// seek looks for a task once the own queue was seen empty: the bit first, then every queue, the own one included. from is in whose
// queue it was.
func (c *CPU) seek(cpu int) (t ID, from int) {
	c.setIdle(cpu)
	if t = c.pop(); t != 0 {
		return t, cpu
	}
	if t, from = c.pull(cpu); t != 0 {
		c.pulls.Add(1)
		count(&c.stolen, 1)
		trace(cpu, EventSteal, t, from)
	}
	return t, from
}

// sleep notes that the CPU goes idle; only a timer is armed.
func (c *CPU) sleep(cpu int, now uint64) {
	if c.idleSince.Load() == 0 {
		trace(cpu, EventIdle, 0, 0)
		c.idleSince.Store(now)
		c.ewma.Store(0)
	}
	deadline := uint64(Never)
	if c.leftSince != 0 {
		deadline = c.leftSince + patience
	}
	c.arm(cpu, deadline)
}

// arm sees to it that the timer fires no later than deadline and the first timer. One that is armed earlier is left: it
// fires for nothing and is armed again then, which is rarer than a switch. It inlines.
func (c *CPU) arm(cpu int, deadline uint64) {
	if min(deadline, c.sleeps.first, c.timers.first.Load()) < c.armed {
		c.rearm(cpu, deadline)
	}
}

//go:noinline
func (c *CPU) rearm(cpu int, deadline uint64) {
	c.armed = min(deadline, c.sleeps.first, c.timers.first.Load())
	machine.Arm(cpu, c.armed)
}

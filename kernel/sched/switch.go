package sched

import "unsafe"

// Current returns the task that runs on the calling CPU, 0 while there is none.
func Current(cpu int) ID { return cpus[cpu].cur }

// NeedLeave reports whether Leave has anything to do but return Current. It inlines.
func NeedLeave(cpu int) bool { return cpus[cpu].need.Load() != 0 }

// NeedOf returns the address of the word, a uint32, that is not 0 when NeedLeave is true: for the trap exit. After Init.
func NeedOf(cpu int) uintptr { return uintptr(unsafe.Pointer(&cpus[cpu].need)) }

// detach takes the current task off its CPU at time now, for Park and Exit: Leave finds none. It inlines.
func (c *CPU) detach(t ID, tk *Task, now uint64) {
	if c.cur != t || t == 0 {
		panic("sched: not the current task")
	}
	c.now = now
	c.charge(tk, now)
	c.cur = 0
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
func Park(cpu int, t ID, deadline uint64) (seq uint64) {
	c, tk := &cpus[cpu], &tasks[t]
	c.detach(t, tk, machine.Now())
	seq = tk.NextSeq()
	if deadline != 0 {
		armSleep(cpu, c, t, tk, deadline, seq)
	}
	tk.state.Store(seq<<8 | uint64(StateBlocked))
	return seq
}

// Yield lets the others of the CPU's queue run before the current task, if there are any; it takes effect in Leave.
func Yield(cpu int, t ID) {
	c := &cpus[cpu]
	if c.q.depth.Load() != 0 {
		c.yield = true
		c.need.Or(evaluate)
	}
}

// Tick answers the interrupt of the timer that Machine.Arm armed: it runs what is due. Leave looks at the quantum.
func Tick(cpu int) {
	c := &cpus[cpu]
	c.armed = Never
	c.need.Or(evaluate) // Leave arms the timer again
	expire(cpu, c, machine.Now())
}

// Leave returns the task that the CPU runs from here on, now RUNNING, or 0: halt until an interrupt. It is the last thing
// that a trap, and the idle loop, asks. The timer is armed when Leave returns.
func Leave(cpu int) ID {
	c := &cpus[cpu]
	if c.need.Load() == 0 {
		return c.cur
	}
	why := c.need.Swap(0) // first: what comes after is seen by the next Leave
	if c.cur != 0 {
		return c.contend(cpu, why)
	}
	now := c.now
	if c.idle {
		now = machine.Now()
	}
	return c.next(cpu, now)
}

// next finds a task for a CPU that has none.
func (c *CPU) next(cpu int, now uint64) ID {
	for {
		t, head := c.pop()
		if t == 0 {
			if t, head = c.seek(cpu); t == 0 {
				c.sleep(cpu, now)
				return 0
			}
		}
		tk := &tasks[t]
		if tk.mayRun(cpu) {
			c.run(cpu, t, tk, now)
			if head != 0 && anyIdle() {
				offer(cpu, head) // an idle CPU may have left it to us, see pull
			}
			return t
		}
		// Its affinity changed while it was queued.
		tk.own(StateWaking)
		place(cpu, t, tk, false)
	}
}

// contend decides between the current task and those that wait.
func (c *CPU) contend(cpu int, why uint32) ID {
	now := machine.Now()
	cur := c.cur
	tk := &tasks[cur]
	c.charge(tk, now)
	if !tk.mayRun(cpu) {
		c.cur = 0
		tk.own(StateWaking)
		place(cpu, cur, tk, false)
		return c.next(cpu, now)
	}
	over := c.yield || now >= tk.quantumEnd
	if c.q.depth.Load() == 0 || why&preempt == 0 && !over {
		return c.stay(cpu, tk, now)
	}
	tk.readySince = now // while it is still ours
	t, head := c.swap(cur, !over)
	if t == 0 {
		return c.stay(cpu, tk, now) // the queue was pulled empty
	}
	c.preemptions.Add(1)
	next := &tasks[t]
	if !next.mayRun(cpu) {
		c.cur = 0
		next.own(StateWaking)
		place(cpu, t, next, false)
		offer(cpu, cur)
		return c.next(cpu, now)
	}
	c.run(cpu, t, next, now)
	if anyIdle() { // queued, then look: as place does
		offer(cpu, cur)
		if head != cur && head != 0 {
			offer(cpu, head)
		}
	}
	return t
}

// stay goes on with the current task.
func (c *CPU) stay(cpu int, tk *Task, now uint64) ID {
	c.yield = false
	if now >= tk.quantumEnd {
		tk.quantumEnd = now + quantum.Load()
	}
	c.arm(cpu, tk.quantumEnd)
	if c.q.depth.Load() != 0 && anyIdle() {
		if head := c.first(); head != 0 {
			offer(cpu, head) // an idle CPU may have left it to us, see pull
		}
	}
	return c.cur
}

// run makes a task that is RUNNING here the current one.
func (c *CPU) run(cpu int, t ID, tk *Task, now uint64) {
	if c.idle {
		c.busy(cpu, now)
	}
	c.yield = false
	c.cur = t
	c.shown.Store(t)
	c.since = now
	c.switches.Add(1)
	tk.switches.Add(1)
	if now > tk.readySince { // it is not where the clock was read before the task was queued
		tk.waitTime.Add(now - tk.readySince)
	}
	tk.quantumEnd = now + quantum.Load()
	c.arm(cpu, tk.quantumEnd)
}

// busy ends the CPU's idle time.
func (c *CPU) busy(cpu int, now uint64) {
	c.claim(cpu) // lost: a claimer's IPI comes for nothing, or for a second task
	c.idle = false
	if since := c.idleSince.Load(); since != 0 {
		c.idleTime.Add(now - since)
		c.idleSince.Store(0)
	}
}

// seek looks for a task once the own queue was seen empty: the bit first, then every queue, the own one included.
func (c *CPU) seek(cpu int) (t, head ID) {
	c.setIdle(cpu)
	for {
		if c.q.depth.Load() != 0 {
			if t, head = c.pop(); t != 0 {
				return t, head
			}
		}
		t, head, again := c.pull(cpu)
		if t != 0 {
			c.pulls.Add(1)
			return t, head
		}
		if !again {
			return 0, 0
		}
	}
}

// sleep notes that the CPU goes idle; only a timer is armed.
func (c *CPU) sleep(cpu int, now uint64) {
	if c.idleSince.Load() == 0 {
		c.idleSince.Store(now)
		c.shown.Store(0)
	}
	c.yield = false
	c.arm(cpu, Never)
}

// arm sees to it that the timer fires no later than deadline and the first timer. One that is armed earlier is left: it
// fires for nothing and is armed again then, which is rarer than a switch. It inlines.
func (c *CPU) arm(cpu int, deadline uint64) {
	if min(deadline, c.timers.first.Load()) < c.armed {
		c.rearm(cpu, deadline)
	}
}

//go:noinline
func (c *CPU) rearm(cpu int, deadline uint64) {
	c.armed = min(deadline, c.timers.first.Load())
	machine.Arm(cpu, c.armed)
}

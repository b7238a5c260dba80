package sched

// The front slot of a CPU holds the entry of a task that made room for a more urgent one before its quantum was over: it is
// the next one of its band. Only the owner writes the slot. Others may take the task as any READY one, by the CAS of its state word;
// the entry is stale then, and the owner throws it away when it comes to it. The task keeps its node.
//
// Who is in the slot waits for what is more urgent than its band, and it ages (age.go).

// toFront makes the current task READY in the front slot. now is when. A task that is there already made room for this one, or for whom
// this one did, and goes to its band. If this one did, it might wait a round there in the middle of what many wait for: signals to
// all threads, say, the first of which made it run.
func (c *CPU) toFront(t ID, tk *Task, now uint64) {
	if e := c.front.Load(); e != 0 {
		c.front.Store(0)
		if other := Get(named(e)); other.take(readyWord(e), StateWaking) {
			c.queue(named(e), other, fromWaking, false)
		}
	}
	c.frontBand, c.frontSince = tk.preemptedBelow(), now // under Lottery no other of the class goes before it
	c.front.Store(tk.stay(t, fromRunning))
	c.bits.Or(1 << frontBit)
	if tk.Attn.Load() != 0 { // as in queue
		c.urge(t, tk)
	}
}

// popFront empties the slot and makes its task RUNNING; 0 if the entry was stale.
func (c *CPU) popFront() ID {
	e := c.front.Load()
	c.front.Store(0)
	c.bits.And(^uint64(1 << frontBit))
	if !run(e) {
		return 0
	}
	return named(e)
}

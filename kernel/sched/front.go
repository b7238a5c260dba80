package sched

// The front slot of a CPU holds the entry of a task that made room for a more urgent one before its quantum was over: it is
// the next one of its band. Only the owner writes the slot. Others may take the task as any READY one, by the CAS of its state word;
// the entry is stale then, and the owner takes its node back when it comes to it.
//
// Who is in the slot waits for what is more urgent than its band, and it ages (age.go).

// toFront makes the current task READY in the front slot, or in its band if the slot is taken. now is when.
func (c *CPU) toFront(t ID, tk *Task, now uint64) {
	if e := c.front.Load(); e != 0 {
		if ready(e) {
			c.queue(t, tk, StateRunning, false)
			return
		}
		c.clearFront()
	}
	n := tk.node
	e := tk.state.Add(numberOne+uint64(StateReady)-uint64(StateRunning)) - uint64(StateReady) + uint64(t)
	if tk.Attn.Load() != 0 { // as in queue
		c.enter(urgentBand, e, n, now)
		return
	}
	c.frontNode = n
	c.front.Store(e)
}

// popFront empties the slot and makes its task RUNNING; 0 if the entry was stale.
func (c *CPU) popFront() ID {
	e := c.front.Swap(0)
	if !run(e) {
		spares.Push(nodeLinks, c.frontNode)
		return 0
	}
	t := named(e)
	Get(t).node = c.frontNode
	return t
}

// clearFront empties the slot of a stale entry.
func (c *CPU) clearFront() {
	c.front.Store(0)
	spares.Push(nodeLinks, c.frontNode)
}

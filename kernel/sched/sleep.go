package sched

// Sleeps with a deadline. Each CPU has a heap of those that began on it, which nobody else touches: no lock, no CAS.
//
// A wakeup leaves the node where it is: stale, since the number of a sleep that is over is no longer the task's. Its owner finds that
// out when the deadline passes, or the task sleeps again on the same CPU, which takes the node for the new deadline.
//
// A task whose own node (Task.sleep) is left in another CPU's heap gets one of the timers' nodes, which goes back when it expires. Stale
// ones of these pile up when tasks wander while they wait with long deadlines, so that a heap that holds too many is swept.
//
// When there is neither, the sleep is unlisted: the number and the deadline are in the task's record, and the CPU looks
// through all records each pollUnlisted until it has found none for itself. Slow, but it fails nobody.
//
// Rejected: taking the node out of the other CPU's heap, which takes a lock that the owner may be stopped with; handing it back
// through that CPU's inbox, which leaves the task without a node until that CPU, perhaps asleep, looks.

// sleepHeap is a heap of sleeps; its CPU's own.
type sleepHeap struct {
	first    uint64 // ns: when expire has something to do, Never if not
	root     uint32
	extra    uint32 // timers' nodes in the heap
	swept    uint32 // how many of them the last sweep left
	unlisted bool   // there may be unlisted sleeps
}

const (
	minExtra     = 64        // extra nodes that are not worth a sweep
	pollUnlisted = 1_000_000 // ns
)

// armSleep notes the deadline of sleep seq, which the task is about to begin.
func armSleep(cpu int, c *CPU, t ID, tk *Task, deadline, seq uint64) {
	q, here := &c.sleeps, uint32(cpu)+1
	n := tk.timer
	if n == 0 || node(n).home.Load() != here || node(n).task.Load() != t {
		n = t
	}
	nd := node(n)
	switch nd.home.Load() {
	case 0:
	case here:
		q.root = heapRemove(q.root, n, nd)
	default:
		if q.extra >= minExtra+2*q.swept {
			q.sweep()
		}
		x, ok := timerTable.take(cpu, machine.TimerLinks, uint32(len(machine.Timers)), machine.GrowTimers)
		if !ok {
			tk.unlisted[0].Store(deadline)
			tk.unlisted[1].Store(seq)
			q.unlisted = true
			q.setFirst(min(deadline, c.since+pollUnlisted))
			return
		}
		n = x + uint32(len(tasks))
		nd = node(n)
		q.extra++
	}
	tk.timer = n
	nd.deadline, nd.seq = deadline, seq
	nd.task.Store(t)
	nd.home.Store(here)
	q.root = heapInsert(q.root, n, nd)
	q.first = min(q.first, deadline)
}

// release gives back a node that was taken out of the heap.
func (q *sleepHeap) release(n uint32, nd *TimerNode) {
	nd.task.Store(0)
	nd.home.Store(0)
	if n >= uint32(len(tasks)) {
		q.extra--
		timerTable.free.Push(machine.TimerLinks, n-uint32(len(tasks)))
	}
}

// setFirst sets when the heap is to be looked at, not later than poll.
func (q *sleepHeap) setFirst(poll uint64) {
	q.first = poll
	if q.root != 0 {
		q.first = min(poll, node(q.root).deadline)
	}
}

// dropSleep takes the node of a task that ends out of the CPU's heap. Elsewhere it expires for nothing.
func (c *CPU) dropSleep(cpu int, t ID, tk *Task) {
	n := tk.timer
	if n != 0 && node(n).home.Load() == uint32(cpu)+1 && node(n).task.Load() == t {
		c.sleeps.root = heapRemove(c.sleeps.root, n, node(n))
		c.sleeps.release(n, node(n))
	}
}

// asleep reports whether task t is in sleep seq.
func asleep(t ID, seq uint64) bool {
	return Get(t).state.Load() == seq<<numberShift|uint64(StateBlocked)
}

// timeout ends sleep seq of a task, if it is not over.
func timeout(cpu int, t ID, seq uint64) {
	switch {
	case !asleep(t, seq):
	case onTimeout != nil:
		onTimeout(cpu, t, seq)
	default:
		Wake(cpu, t, seq, NoResult, false)
	}
}

// expire ends the sleeps that are due, in the order of their deadlines, those that are listed first.
func (q *sleepHeap) expire(cpu int, now uint64) {
	if q.first > now {
		return
	}
	for q.root != 0 {
		n := q.root
		nd := node(n)
		if nd.deadline > now {
			break
		}
		t, seq := nd.task.Load(), nd.seq
		q.root = heapRemove(n, n, nd)
		q.release(n, nd)
		timeout(cpu, t, seq)
	}
	poll := uint64(Never)
	if q.unlisted {
		q.unlisted = false
		for t := range Tasks() {
			tk := Get(t)
			seq := tk.unlisted[1].Load() // first: written last, so that the deadline is this sleep's, or the sleep is over
			deadline := tk.unlisted[0].Load()
			if !asleep(t, seq) {
				continue
			}
			if deadline <= now {
				timeout(cpu, t, seq)
			} else {
				q.unlisted = true
				poll = min(poll, max(deadline, now+pollUnlisted))
			}
		}
	}
	q.setFirst(poll)
}

// sweep throws the stale nodes of the heap away.
func (q *sleepHeap) sweep() {
	todo := q.root
	q.root = 0
	for todo != 0 {
		n := todo
		nd := node(n)
		todo = nd.next
		if last := nd.child; last != 0 { // the children come first
			for node(last).next != 0 {
				last = node(last).next
			}
			node(last).next = todo
			todo = nd.child
		}
		if asleep(nd.task.Load(), nd.seq) {
			q.root = heapInsert(q.root, n, nd)
		} else {
			q.release(n, nd)
		}
	}
	q.swept = q.extra
}

package sched

import (
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// runq is the queue of READY tasks of one CPU: doubly linked by task number, first in, first out, but that urgent tasks
// enter at the head. Everything that knows how a queue is made is in this file.
//
// Invariant: a task is READY exactly while it is linked in the queue of Task.cpu; both change under that queue's lock.
// The lock is the innermost one: nothing is called with it held. Longest hold: the pullDepth links that pull looks at.
type runq struct {
	lock       lockfree.SpinLock
	head, tail ID
	depth      atomic.Uint32 // written under the lock; read by anyone, as a hint
}

// pullDepth bounds how many tasks pull looks at in one queue while its lock is held, for one that may run on the puller.
const pullDepth = 32

// linkBack and the others below need the lock.
func (q *runq) linkBack(t ID, tk *Task) {
	tail := q.tail
	tk.prev, tk.next = tail, 0
	q.tail = t
	if tail != 0 {
		Get(tail).next = t
	} else {
		q.head = t
	}
}

func (q *runq) linkFront(t ID, tk *Task) {
	head := q.head
	tk.prev, tk.next = 0, head
	q.head = t
	if head != 0 {
		Get(head).prev = t
	} else {
		q.tail = t
	}
}

func (q *runq) unlink(tk *Task) {
	prev, next := tk.prev, tk.next
	if prev != 0 {
		Get(prev).next = next
	} else {
		q.head = next
	}
	if next != 0 {
		Get(next).prev = prev
	} else {
		q.tail = prev
	}
}

// grew and shrank count a task that was linked or unlinked.
func (q *runq) grew()   { q.depth.Add(1) }
func (q *runq) shrank() { q.depth.Add(^uint32(0)) }

// push makes a task that the caller has in hand READY in the queue of a CPU; front puts it before the others. It reports
// whether the task went to the front because it asked to or because it has a deliverable signal. From here on the task
// may run, block and die.
//
//go:nosplit
func (c *CPU) push(cpu int, t ID, tk *Task, front bool) (urgent bool) {
	q := &c.q
	q.lock.Lock()
	if tk.cpu.Load() != uint32(cpu) {
		tk.cpu.Store(uint32(cpu))
		tk.migrations.Add(1)
	}
	tk.move(StateWaking, StateReady)
	// READY first, then Attn: the pair of Urgent's Attn (its caller's), then READY.
	switch {
	case front, tk.Attn.Load() != 0:
		front = true
		q.linkFront(t, tk)
	default:
		q.linkBack(t, tk)
	}
	q.grew()
	q.lock.Unlock()
	return front
}

// pop makes the head of the CPU's own queue RUNNING; 0 if there is none. head is what the queue then begins with.
//
//go:nosplit
func (c *CPU) pop() (next, head ID) {
	q := &c.q
	q.lock.Lock()
	if next = q.head; next != 0 {
		tk := Get(next)
		if head = tk.next; head != 0 {
			Get(head).prev = 0
		} else {
			q.tail = 0
		}
		q.head = head
		q.shrank()
		tk.move(StateReady, StateRunning)
	}
	q.lock.Unlock()
	return next, head
}

// swap is pop that puts the current task in, if there is a head to take its place: behind the next head when it only made
// room for an urgent task, else to the back.
//
//go:nosplit
func (c *CPU) swap(cur ID, behindUrgent bool) (next, head ID) {
	q := &c.q
	q.lock.Lock()
	if next = q.head; next != 0 {
		tk := Get(next)
		q.unlink(tk)
		tk.move(StateReady, StateRunning)
		tk = Get(cur)
		tk.move(StateRunning, StateReady)
		switch {
		case behindUrgent, tk.Attn.Load() != 0:
			q.linkFront(cur, tk)
		default:
			q.linkBack(cur, tk)
		}
	}
	head = q.head
	q.lock.Unlock()
	return next, head
}

// first returns the head of the queue.
func (c *CPU) first() ID {
	c.q.lock.Lock()
	head := c.q.head
	c.q.lock.Unlock()
	return head
}

// advance moves a READY task to the head of its queue and returns its CPU; moved is false when it is no longer READY there.
func (tk *Task) advance(t ID) (cpu int, moved bool) {
	at := tk.cpu.Load()
	q := &on(int(at)).q
	q.lock.Lock()
	if tk.cpu.Load() == at && State(tk.state.Load()) == StateReady {
		q.unlink(tk)
		q.linkFront(t, tk)
		moved = true
	}
	q.lock.Unlock()
	return int(at), moved
}

// retract takes a READY task out of its queue and into the caller's hands; ok is false when it is no longer READY there.
func (tk *Task) retract() (ok bool) {
	at := tk.cpu.Load()
	q := &on(int(at)).q
	q.lock.Lock()
	if tk.cpu.Load() == at && State(tk.state.Load()) == StateReady {
		q.unlink(tk)
		q.shrank()
		tk.move(StateReady, StateWaking)
		ok = true
	}
	q.lock.Unlock()
	return ok
}

// take removes the first task that may run on cpu from another CPU's queue, and makes it RUNNING on cpu.
// contended is true when the queue's lock was not free.
func (c *CPU) take(cpu int) (t, head ID, contended bool) {
	q := &c.q
	if !q.lock.TryLock() {
		return 0, 0, true
	}
	t = q.head
	for range pullDepth {
		if t == 0 || Get(t).mayRun(cpu) {
			break
		}
		t = Get(t).next
	}
	if t != 0 && Get(t).mayRun(cpu) {
		tk := Get(t)
		q.unlink(tk)
		q.shrank()
		tk.move(StateReady, StateRunning) // before cpu: a READY task's cpu is that of the queue whose lock is held
		tk.cpu.Store(uint32(cpu))
		tk.migrations.Add(1)
	} else {
		t = 0
	}
	head = q.head
	q.lock.Unlock()
	return t, head, false
}

// pull takes a task from the longest other queue, one of the own node if there is any, else elsewhere; if that has none
// that may run here, from any. head is what that queue then begins with. Only idle CPUs pull, so the look at every CPU's
// depth is paid with time that nobody wants. again is true when a lock was not free, so that "none" is not certain.
//
// A queue of one whose CPU is about to look at it is left alone: the task was put there for that CPU, and the IPI is on
// its way. Should that CPU go on with what it runs, it offers the task again (Leave).
func (c *CPU) pull(cpu int) (t, head ID, again bool) {
	best, weight := -1, uint32(0)
	for i := range cpus {
		v := on(i)
		d := v.q.depth.Load()
		if d == 0 || i == cpu || d == 1 && v.need.Load() != 0 {
			continue
		}
		if v.node == c.node {
			d += MaxTasks // more than any depth
		}
		if d > weight {
			best, weight = i, d
		}
	}
	if best < 0 {
		return 0, 0, false
	}
	if t, head, again = on(best).take(cpu); t != 0 {
		return t, head, false
	}
	for i := range cpus {
		v := on(i)
		d := v.q.depth.Load()
		if d == 0 || i == cpu || d == 1 && v.need.Load() != 0 {
			continue
		}
		t, h, contended := v.take(cpu)
		if t != 0 {
			return t, h, false
		}
		again = again || contended
	}
	return 0, 0, again
}

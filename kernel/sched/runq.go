package sched

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"pdac/kernel/lockfree"
)

// The run queue of a CPU: bands of entries, a word that says which bands may hold some, and two slots. Lock-free.
//
// Paper: each band is a Queue of package lockfree (Michael and Scott, PODC 1996). That an entry is a name, taken by a CAS of what it
// names, is how that queue's own tags work, and Harris's marked nodes (DISC 2001): what is removed logically stays linked.
//
// A task that becomes READY begins a stay: its state word's number is counted up, and an entry {number of the stay, task} goes into a
// queue. The entry is a promise to look at the task, not the task.
//
// Invariants:
//
//	(1) Whoever changes a state word from READY owns the task from there on, and does so by a CAS that names the stay. So a task is
//	    taken once in each stay, whatever lies in the queues.
//	(2) A READY task's entry is in a queue of the CPU that Task.cpu names, or in the hands of a call under way that is about to put it
//	    there, or that has removed it and next tries that CAS. So no task is lost. All other entries are stale: no CAS that they ask for
//	    ever succeeds, since a number does not come back (mod 2^48: ten years at a million stays a second). Who pops one throws it away.
//	(3) A band that holds an entry has its bit set, or its owner is in pop, or the entry's pusher is in push. A set bit means little.
//	(4) A task that is in hand (NEW, WAKING, RUNNING, DEAD, FREE) or in a slot has one node, Task.node, for its next entry in a band.
//	    A band takes it over, and Task.node is 0; a pop gives its finder the band's old dummy. Who takes a task from elsewhere than the
//	    head leaves the node of its entry in the band, and gets one from the spares, to which it returns when the entry is thrown away.
//	    There is a spare for each task record that was ever used and sparesPerCPU for each CPU. Without one such a taker takes nothing,
//	    and the task stays for its turn.
//
// Words and writers:
//
//	Task.state           transitions in task.go
//	CPU.bands[b]         any CPU; count and since too
//	CPU.bits             set by anyone, after the entry is in; cleared by the owner
//	CPU.lone             0 to reserved, and from there to an entry, by a pusher, or by the owner and back; from an entry to 0 by anyone, to reserved by the owner
//	                     (PassTurn), all by CAS but the entry
//	CPU.front            the owner; read by thieves
//	Task.node            who has the task in hand. While READY it stays as it was, so that who reads it before the CAS of that stay
//	                     has read the right one if the CAS succeeds
//
// Linearization: a task is runnable from the READY of its state word to the CAS. As a FIFO, for tasks of one band: push at the CAS
// of Queue or of the lone slot, or at its set bit if that is later; pop at the CAS of head or of the slot, of an empty queue at its
// load of the slot; take and retract anywhere, since they promise no order. Several bands, and who was in the front slot, have the
// order of the policies.
//
// The lone slot. A task that becomes READY while the queue is empty, as where two take turns, goes to a slot of one entry. That is
// before all later ones of its band, by whose rank it is served. The slot is reserved before READY is stored, so that the task's node
// is known to stay in hand; a pusher that stops there makes others use the bands, and nobody waits.
//
// Why an entry cannot be missed: push links it, sets the bit unless it is set, and only then looks for idle CPUs (Ready); a CPU going
// idle sets its idle bit and then looks at every queue's lone slot and bits, and through them at the bands (place.go). The owner clears a bit after
// it saw the band empty, looks at the band once more and sets it again if it is not: a pusher that saw the bit set had linked its
// entry before the clearing, hence before that look. A thief that looks between the clearing and that look may miss the entry, but the
// owner then has it: it is in pop, sets the bit again, and goes on until it sees none, or has a task and offers the others (Leave). In
// between, no entry comes to the lone slot, which would go before those of its band: the owner has reserved it, unless there was one;
// then a thief would have to take that, and a pusher to come, in the same few instructions.
//
// Interleavings that this was checked against:
//   - P stores READY, Q retracts and pushes elsewhere, P links: P's entry is stale from the start. Its node was P's own, from before.
//   - O pops an entry, Q retracts, O's CAS fails: O gives the node to the spares, Q took another from there.
//   - O pops an entry, Q retracts and pushes it into the same queue: O's CAS names the old stay and fails; the new entry is behind.
//   - T (thief) reads an entry, O runs the task, it parks, is woken and queued again: T's CAS names the old stay.
//   - T walks on from a node that has been popped and is pushed into another queue: T reads entries of that queue; each is a name,
//     and the CAS decides. T goes pullSteps at most.
//   - O clears a bit, P links and sees the bit clear, sets it, O looks again and sets it too: set.
//   - P reserves the lone slot, stores READY, Q retracts (the node is in hand), P stores the entry: stale; the owner clears it.
//   - T takes the task of the lone slot and clears it, P fills it again, O's CAS of the entry that it read before fails: O looks again.
//   - P stops between READY and the link for as long as a hypervisor likes: Q may retract the task meanwhile; else it waits for P, as it
//     would for a waker that stops before READY. Nobody else waits.
//
// Progress: lock-free. push is a fixed number of steps when nobody is in the way; pop throws away stale entries, of which there are no
// more than spares. No call pairs need be kept apart, but pop, swap and the front slot are the owner's.
//
// Rejected:
//   - An inbox that others push to and a private structure behind it, which needs no CAS: a thief cannot reach the private part, so
//     that work hides behind a CPU that computes.
//   - A list with a lock, which this replaces: 20 instructions less for a pop, but a virtual CPU stopped inside it stops its wakers.
//   - A ring of turns (Vyukov): who stops between claiming a cell and filling it hides all behind it (kernel/lockfree/doc.go).
//   - Removal from the middle of a lock-free list (Harris, Michael): a walk from the head for each, where here is one CAS.
//   - Task numbers as entries, without stays: a task that left and came back would be found at its old place, and jump the queue.

// band is one FIFO of entries.
type band struct {
	lockfree.Queue
	count atomic.Uint32 // entries, also stale ones; raised before one is in, lowered after it is out
	since atomic.Uint64 // ns: when a task of the band was served last (an entry that was stale serves none), or its bit set
	_     [lockfree.CacheLine - 16]byte
}

// The bands, most urgent first, and their bits in CPU.bits. Each class has bandsPerClass from classBand on (class.go).
const (
	urgentBand    = 0      // tasks with a deliverable signal, and those who are put first
	frontBit      = 1      // the front slot (front.go), no band
	loneSlot      = nBands // stands for the lone slot, which has no bit
	firstBand     = 2
	bandsPerClass = 16
	nBands        = firstBand + uint32(nClasses)*bandsPerClass
)

// reserved is in the lone slot while its pusher makes the task READY. Entries are greater: numbers begin at 1.
const reserved = 1

// push makes a WAKING task that the caller has in hand READY in the queue of a CPU; front puts it before the others. From here on the
// task may run, block and die. It returns the band that the task went to.
//
//go:nosplit
func (c *CPU) push(cpu int, t ID, tk *Task, front bool) uint32 {
	if tk.cpu.Load() != uint32(cpu) {
		tk.cpu.Store(uint32(cpu))
		tk.migrations.Add(1)
	}
	return c.queue(t, tk, fromWaking, front)
}

// What becoming READY adds to a state word: the number's unit, and the difference of the states.
const (
	fromWaking  = numberOne + uint64(StateReady) - uint64(StateWaking)
	fromRunning = numberOne + uint64(StateReady) - uint64(StateRunning)
	fromBlocked = numberOne + uint64(StateReady) - uint64(StateBlocked) // Unpark only
)

// queue makes a task READY in the queue of its CPU. READY is stored first, then Attn is looked at: the pair of Urgent's Attn (its
// caller's), then READY.
//
//go:nosplit
func (c *CPU) queue(t ID, tk *Task, from uint64, front bool) uint32 {
	w := tk.weight.Load()
	b := w & 0xff
	if lotteries.Load()>>(b&63)&1 != 0 { // tk.band, inline
		b = tk.lotteryBand(b, w>>16)
	}
	if !front { // nested: with && the compiler makes values of the conditions
		if c.bits.Load() == 0 {
			if c.lone.Load() == 0 {
				if c.lone.CompareAndSwap(0, reserved) {
					c.lone.Store(tk.stay(t, from))
					if tk.Attn.Load() != 0 {
						return c.urge(t, tk)
					}
					return b
				}
			}
		}
	}
	n, since := tk.node.Load(), tk.readySince
	tk.node.Store(0)
	e := tk.stay(t, from)
	if front || tk.Attn.Load() != 0 {
		b = urgentBand
	}
	bd := c.at(b) // enter, inline
	bd.count.Add(1)
	bd.Push(nodes, n, e)
	if c.bits.Load()>>(b&63)&1 == 0 {
		c.show(b, since)
	}
	return b
}

// stay makes a task that the caller has in hand READY, and returns the entry. It inlines.
func (tk *Task) stay(t ID, from uint64) uint64 {
	return tk.state.Add(from) - uint64(StateReady) + uint64(t)
}

// urge moves a READY task to the urgent band, unless somebody else has taken it. Who queued it kicks the CPU where it was.
func (c *CPU) urge(t ID, tk *Task) uint32 {
	if at, ok := tk.retract(); ok {
		on(at).push(at, t, tk, true)
		if v := on(at); v != c { // somebody has moved it since
			v.need.Or(evaluate | preempt)
			machine.Kick(at)
		}
	}
	return urgentBand
}

// enter puts an entry into a band, in node n.
func (c *CPU) enter(b uint32, e uint64, n uint32, since uint64) {
	bd := c.at(b)
	bd.count.Add(1)
	bd.Push(nodes, n, e)
	if c.bits.Load()>>(b&63)&1 == 0 {
		c.show(b, since)
	}
}

// show sets the bit of a band, which has waited since then.
//
//go:noinline
func (c *CPU) show(b uint32, since uint64) {
	c.at(b).since.Store(since)
	c.bits.Or(1 << (b & 63))
}

// pop makes the next task of the CPU's own queue RUNNING; 0 if there is none.
//
//go:nosplit
func (c *CPU) pop() (t ID) {
	set := c.bits.Load() // before lone, whose entry is before those that came into the bands while it was taken
	e := c.lone.Load()
	if set == 0 {
		if e <= reserved && c.bits.Load() == 0 { // nothing came in between: only we clear bits
			return 0
		}
		if e > reserved && c.lone.CompareAndSwap(e, 0) && run(e) {
			return named(e)
		}
		return c.pick()
	}
	if e > reserved || set&(set-1)|set&(lotteries.Load()|1<<frontBit) != 0 {
		return c.pick()
	}
	b := uint32(bits.TrailingZeros64(set))
	bd := c.at(b)
	v, n, ok := bd.Pop(nodes) // as popBand
	if !ok {
		return c.pick()
	}
	if bd.count.Add(^uint32(0)) == 0 {
		c.hide(b)
	}
	if !run(v) {
		spares.Push(nodeLinks, n)
		return c.pick()
	}
	bd.since.Store(c.since)
	t = named(v)
	Get(t).node.Store(n)
	return t
}

// at returns a band, unchecked like a task's record.
func (c *CPU) at(b uint32) *band {
	return (*band)(unsafe.Add(unsafe.Pointer(&c.bands), uintptr(b)*unsafe.Sizeof(band{})))
}

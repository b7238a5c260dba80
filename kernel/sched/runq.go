package sched

import (
	"math/bits"
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// The run queue of a CPU: bands of entries, a word that says which bands may hold some, and the front slot. Lock-free.
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
//	(4) A task that is in hand (NEW, WAKING, RUNNING, DEAD, FREE) has one node, Task.node, for its next entry. Push uses it up; a pop
//	    gives its finder the queue's old dummy. Who takes a task from elsewhere than the head leaves the node of its entry in the queue,
//	    and gets one from the spares, to which it returns when the entry is thrown away. There is a spare for each task record that was
//	    ever used and sparesPerCPU for each CPU. Without one such a taker takes nothing, and the task stays for its turn.
//
// Words and writers:
//
//	Task.state           transitions in task.go
//	CPU.bands[b]         any CPU; count and since too
//	CPU.bits             set by anyone, after the entry is in; cleared by the owner
//	CPU.front            the owner; read by thieves
//	Task.node            who has the task in hand; front's node, CPU.frontNode, the owner
//
// Linearization: a task enters at the READY of its state word and leaves at the CAS. For FIFO order within a band: at the
// linearization points of Queue. Nothing else promises order.
//
// Why an entry cannot be missed: push links it, sets the bit unless it is set, and only then looks for idle CPUs (Ready); a CPU going
// idle sets its idle bit and then looks at every queue's bits, and through them at the queues (place.go). The owner clears a bit after
// it saw the band empty, looks at the band once more and sets it again if it is not: a pusher that saw the bit set had linked its
// entry before the clearing, hence before that look. A thief that looks between the clearing and that look may miss the entry, but the
// owner then has it: it is in pop, sets the bit again and goes on until it has a task or sees none.
//
// Interleavings that this was checked against:
//   - P stores READY, Q retracts and pushes elsewhere, P links: P's entry is stale from the start. Its node was P's own, from before.
//   - O pops an entry, Q retracts, O's CAS fails: O gives the node to the spares, Q took another from there.
//   - O pops an entry, Q retracts and pushes it into the same queue: O's CAS names the old stay and fails; the new entry is behind.
//   - T (thief) reads an entry, O runs the task, it parks, is woken and queued again: T's CAS names the old stay.
//   - T walks on from a node that has been popped and is pushed into another queue: T reads entries of that queue; each is a name,
//     and the CAS decides. T goes pullSteps at most.
//   - O clears a bit, P links and sees the bit clear, sets it, O looks again and sets it too: set.
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
	since atomic.Uint64 // ns: when the band was served last, or its bit set
	_     [lockfree.CacheLine - 16]byte
}

// The bands, most urgent first, and their bits in CPU.bits. Each class has bandsPerClass from classBand on (class.go).
const (
	urgentBand    = 0 // tasks with a deliverable signal, and those who are put first
	frontBit      = 1 // of what waits returns: the front slot (front.go), no band
	firstBand     = 2
	bandsPerClass = 16
	nBands        = firstBand + int(nClasses)*bandsPerClass
)

// Entries live in nodes that are a cache line apart, as they come to be used by different CPUs.
const (
	nodeStep     = 4
	sparesPerCPU = 16
)

var (
	nodes     []lockfree.Node
	nodeLinks []uint32
	spares    lockfree.Stack
)

// Entries returns how long Machine.Entries has to be for that many CPUs, and tasks with numbers below ntasks.
func Entries(ncpu int, ntasks uint32) int {
	return (1 + ncpu*(nBands+sparesPerCPU) + 2*int(ntasks)) * nodeStep
}

// initQueues makes the queues empty.
func initQueues() {
	nodes, nodeLinks = machine.Entries, machine.EntryLinks
	spares.PopAll()
	n := uint32(nodeStep) // no task's node is 0
	for i := range cpus {
		c := on(i)
		for b := range c.bands {
			c.bands[b].Init(nodes, n)
			n += nodeStep
		}
		for range sparesPerCPU {
			spares.Push(nodeLinks, n)
			n += nodeStep
		}
	}
}

// equip gives a task record that is used for the first time its node, and the spares one.
func (tk *Task) equip(t ID) {
	if tk.node == 0 {
		tk.node = uint32(Entries(len(cpus), t))
		spares.Push(nodeLinks, tk.node+nodeStep)
	}
}

// An entry is a state word with the task's number in place of the state.

// ready reports whether the task that an entry names is READY in the stay that it names.
func ready(e uint64) bool { return Get(named(e)).state.Load() == readyWord(e) }

// named returns the task of an entry.
func named(e uint64) ID { return ID(uint16(e)) }

// readyWord returns the state word of an entry's task in its stay.
func readyWord(e uint64) uint64 { return e&^stateMask | uint64(StateReady) }

// run makes an entry's task RUNNING, if nobody else took it out of that stay: the only way to run. It inlines.
func run(e uint64) bool {
	w := readyWord(e)
	return Get(named(e)).state.CompareAndSwap(w, w+uint64(StateRunning)-uint64(StateReady))
}

// push makes a WAKING task that the caller has in hand READY in the queue of a CPU; front puts it before the others. From here on the
// task may run, block and die. It returns the band that the task went to.
//
//go:nosplit
func (c *CPU) push(cpu int, t ID, tk *Task, front bool) uint32 {
	if tk.cpu.Load() != uint32(cpu) {
		tk.cpu.Store(uint32(cpu))
		tk.migrations.Add(1)
	}
	return c.queue(t, tk, StateWaking, front)
}

// queue makes a task READY in the queue of its CPU.
//
//go:nosplit
func (c *CPU) queue(t ID, tk *Task, from State, front bool) uint32 {
	n, since, b := tk.node, tk.readySince, tk.band()
	e := tk.state.Add(numberOne+uint64(StateReady)-uint64(from)) - uint64(StateReady) + uint64(t)
	// READY first, then Attn: the pair of Urgent's Attn (its caller's), then READY.
	if front || tk.Attn.Load() != 0 {
		b = urgentBand
	}
	c.enter(b, e, n, since)
	return b
}

// enter puts an entry into a band, in node n.
//
//go:nosplit
func (c *CPU) enter(b uint32, e uint64, n uint32, since uint64) {
	bd := &c.bands[b%uint32(len(c.bands))]
	bd.count.Add(1)
	bd.Push(nodes, n, e)
	if bit := uint64(1) << (b % 64); c.bits.Load()&bit == 0 {
		bd.since.Store(since)
		c.bits.Or(bit)
	}
}

// waits returns the bits of the bands that may hold entries, and of the front slot.
func (c *CPU) waits() uint64 {
	set := c.bits.Load()
	if c.front.Load() != 0 {
		set |= 1 << frontBit
	}
	return set
}

// pop makes the next task of the CPU's own queue RUNNING; 0 if there is none. more is not 0 when it may not have been the last.
//
//go:nosplit
func (c *CPU) pop() (t ID, more uint64) {
	set := c.waits()
	if set == 0 {
		return 0, 0
	}
	if set&(set-1)|set&(lotteries.Load()|1<<frontBit) != 0 {
		return c.pick()
	}
	bd := &c.bands[bits.TrailingZeros64(set)%len(c.bands)]
	e, n, ok := bd.Pop(nodes)
	if !ok {
		return c.pick()
	}
	left := bd.count.Add(^uint32(0))
	bd.since.Store(c.since)
	if !run(e) {
		spares.Push(nodeLinks, n)
		return c.pick()
	}
	t = named(e)
	Get(t).node = n
	if left == 0 {
		c.hide(uint32(bits.TrailingZeros64(set)))
	}
	return t, uint64(left)
}

// pick is pop where there is a choice to make, or an empty or stale band to clear away.
func (c *CPU) pick() (t ID, more uint64) {
	for {
		set := c.waits()
		if set == 0 {
			return 0, 0
		}
		b, aged := c.choose(set)
		if b == frontBit {
			if t = c.popFront(); t != 0 {
				return t, c.waits()
			}
			continue
		}
		if !aged && lotteries.Load()>>b&1 != 0 {
			b = c.draw(set, b)
		}
		bd := &c.bands[b]
		e, n, ok := bd.Pop(nodes)
		if !ok {
			c.hide(b)
			continue
		}
		left := bd.count.Add(^uint32(0))
		bd.since.Store(c.since)
		if !run(e) {
			spares.Push(nodeLinks, n)
			continue
		}
		t = named(e)
		Get(t).node = n
		c.protected = aged
		if aged && set&(1<<urgentBand) != 0 && b != urgentBand {
			Get(t).quantumEnd = MinQuantum // what is urgent waits no longer than this
		}
		return t, uint64(left) | set&^(1<<b)
	}
}

// choose returns the band to be served next: one that has waited too long, else the most urgent.
func (c *CPU) choose(set uint64) (b uint32, aged bool) {
	if c.since >= c.nextAge {
		if b, aged = c.overdue(set, c.since); aged {
			return b, true
		}
	}
	b = uint32(bits.TrailingZeros64(set))
	if b == frontBit {
		if other := uint32(bits.TrailingZeros64(set &^ (1 << frontBit))); other < Get(named(c.front.Load())).band() {
			return other, false
		}
	}
	return b, false
}

// hide clears the bit of a band that was seen empty.
func (c *CPU) hide(b uint32) {
	c.bits.And(^(1 << b))
	if !c.bands[b].Empty(nodes) {
		c.bits.Or(1 << b)
	}
}

// head returns the first entry of a band that is not stale, and its place (lockfree.Queue.First). Any CPU may call it.
func (c *CPU) head(b uint32) (e, place uint64, ok bool) {
	bd := &c.bands[b]
	for {
		e, place, ok = bd.First(nodes)
		if !ok || ready(e) {
			return e, place, ok
		}
		if n, ok := bd.PopFirst(nodes, place); ok {
			bd.count.Add(^uint32(0))
			spares.Push(nodeLinks, n)
		}
	}
}

// first returns a task that waits in the queue and would be next, but for the policies; 0 if there is none. Any CPU may call it.
func (c *CPU) first() ID {
	for set := c.waits(); set != 0; set &= set - 1 {
		b := uint32(bits.TrailingZeros64(set))
		if b == frontBit {
			if e := c.front.Load(); e != 0 && ready(e) {
				return named(e)
			}
		} else if e, _, ok := c.head(b); ok {
			return named(e)
		}
	}
	return 0
}

// load returns how many tasks wait in the queue, as a hint: it counts stale entries.
func (c *CPU) load() uint32 {
	n := uint32(0)
	for set := c.waits(); set != 0; set &= set - 1 {
		if b := bits.TrailingZeros64(set); b == frontBit {
			n++
		} else {
			n += c.bands[b].count.Load()
		}
	}
	return n
}

// retract takes a READY task out of its stay and into the caller's hands; at is the CPU where it was. ok is false when it is not READY,
// or there is no spare node.
func (tk *Task) retract() (at int, ok bool) {
	w := tk.state.Load()
	if State(w) != StateReady {
		return 0, false
	}
	at = tk.CPU() // that of this stay, if the CAS succeeds
	n, ok := spares.Pop(nodeLinks)
	if !ok {
		return 0, false
	}
	if !tk.state.CompareAndSwap(w, w+uint64(StateWaking)-uint64(StateReady)) {
		spares.Push(nodeLinks, n)
		return 0, false
	}
	tk.node = n
	return at, true
}

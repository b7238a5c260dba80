package sched

import "pdac/kernel/lockfree"

// Entries of the run queues, the nodes in which they lie, and the CAS by which their tasks are taken. runq.go argues all of it.

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
	return (1 + ncpu*int(nBands+sparesPerCPU) + 2*int(ntasks)) * nodeStep
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
	if tk.node.Load() == 0 {
		n := uint32(Entries(len(cpus), t))
		tk.node.Store(n)
		spares.Push(nodeLinks, n+nodeStep)
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

// take takes a task out of the stay whose state word is w, wherever its entry lies, into the caller's hands or to RUNNING. False: the
// stay is over, or there is no spare node.
func (tk *Task) take(w uint64, to State) bool {
	n := tk.node.Load()
	if n == 0 { // the band has it
		var ok bool
		if n, ok = spares.Pop(nodeLinks); !ok {
			return false
		}
		if !tk.state.CompareAndSwap(w, w+uint64(to)-uint64(StateReady)) {
			spares.Push(nodeLinks, n)
			return false
		}
		tk.node.Store(n)
		return true
	}
	return tk.state.CompareAndSwap(w, w+uint64(to)-uint64(StateReady))
}

// retract takes a READY task into the caller's hands; at is the CPU where it was. ok is false when it is not READY, or there is no
// spare node.
func (tk *Task) retract() (at int, ok bool) {
	w := tk.state.Load()
	if State(w) != StateReady {
		return 0, false
	}
	at = tk.CPU() // that of this stay, if take succeeds
	return at, tk.take(w, StateWaking)
}

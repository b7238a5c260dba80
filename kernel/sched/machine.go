package sched

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/lockfree"
)

// Never is the deadline of a timer that is not armed, in ns of Machine.Now.
const Never = ^uint64(0)

// Machine is what the scheduler needs from the hardware. Times are ns of one monotonic clock, the same on every CPU.
type Machine struct {
	NCPU  int
	Nodes []uint8 // NUMA node of each CPU
	Seed  uint64  // of the random numbers

	// Distances between nodes as in ACPI's SLIT: 10 within one. nil: all others are at 20.
	Distances *[MaxNodes][MaxNodes]uint8

	Now  func() uint64
	Kick func(cpu int)                  // reschedule IPI: that CPU traps and calls Leave
	Arm  func(cpu int, deadline uint64) // one-shot timer of the calling CPU; replaces the last; a past one fires at once

	CPUs  []CPU       // NCPU of them, zero
	Trace []TraceSlot // NCPU times TraceSlots, zero; nil: no events are kept

	// The nodes of the run queues. The first Entries(NCPU, 0) are usable, zero, and so are Entries(NCPU, n) after GrowTasks(n).
	Entries    []lockfree.Node
	EntryLinks []uint32 // as long as Entries

	// Virtual arrays: the length is the limit, Grow makes the entries below n usable (zero at first).
	Tasks      []Task
	TaskLinks  []uint32 // as long as Tasks
	GrowTasks  func(cpu int, n uint32) bool
	Timers     []TimerNode
	TimerLinks []uint32 // as long as Timers
	GrowTimers func(cpu int, n uint32) bool
}

// CPU is the record of one CPU. Each 64 byte line is padded against the sharing with the next.
type CPU struct {
	// The owner's own, except need.
	need      atomic.Uint32    // non-zero: Leave has something to do. Anyone adds bits, the owner swaps in 0
	below     atomic.Uint32    // a task that wakes into a band below preempts cur; the owner writes, anyone reads
	cur       lockfree.Owned32 // the running task, 0 after Park or Exit and while idle; the owner writes, anyone reads
	yield     bool             // cur asked to go to the back
	idle      bool             // set its bit in the idle bitmap; a claimer may have cleared it since
	protected bool             // the task that is to run was overdue
	node      uint32           // constant after Init, as are the next two
	idleWord  uint32           // index of the word with its bit in idleWords
	firstIdle uint32           // index of the first one of its node
	firing    Timer            // whose OnTimer callback runs here
	since     uint64           // cur's CPU time is accounted up to here; when it parked or exited
	armed     uint64           // what Machine.Arm was last given; Never when that has fired
	nextAge   uint64           // when overdue is asked next
	frontBand uint32           // of the task in the front slot

	bits atomic.Uint64 // runq.go
	lone atomic.Uint64 // entry, 0: empty

	leftSince uint64 // ns: since when it idles beside queues that it leaves to their CPUs (offers), 0: there are none; the owner's
	_         [64 - 24]byte

	front      atomic.Uint64 // entry, 0: empty; the owner writes, thieves read. The rest of the line is the owner's
	frontSince uint64        // ns
	sleeps     sleepHeap
	rng        uint64
	loneSeen   uint64 // the lone entry that was passed over
	loneSince  uint64 // ns: when first

	timers timerQueue // under its lock
	_      [64 - 24]byte

	// Counters: the owner writes, anyone reads.
	idleSince   lockfree.Owned // ns; 0 while not idle
	idleTime    lockfree.Owned // ns, up to idleSince
	switches    lockfree.Owned
	wakeups     lockfree.Owned
	pulls       lockfree.Owned
	kicks       lockfree.Owned
	preemptions lockfree.Owned
	events      atomic.Uint64 // trace.go

	// Stealing and balancing. ewma: see balance.go. The rest the owner writes, anyone reads the counters.
	ewma        atomic.Int64  // balance.go
	looks       atomic.Uint64 // at others' queues
	stolen      atomic.Uint64 // tasks
	balanced    atomic.Uint64 // tasks that it moved elsewhere
	averaged    uint64        // ns: ewma is that of then
	nextAverage uint64        // ns
	nextBalance uint64        // ns
	calm        uint32        // looks in a row that moved nothing
	place       uint16        // in byNode; constant after Init
	cursor      uint16        // place in byNode of the last victim
	steals      [Strategies][maxDistances]stealCount

	bands [nBands]band // runq.go
}

// Reasons in CPU.need; each makes Leave look at everything, preempt also lets what is more urgent go before cur.
const (
	evaluate = 1 << iota
	preempt
)

var (
	machine Machine
	cpus    []CPU
	tasks   []Task
	online  CPUSet
	booted  uint64 // ns
)

// on returns the record of a CPU, unchecked like a task's.
func on(cpu int) *CPU {
	return (*CPU)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(cpus)), uintptr(cpu)*unsafe.Sizeof(CPU{})))
}

// Init starts the scheduler with no task and every CPU busy until its first Leave. It is called once at boot, before the
// other CPUs call anything here (again by host tests, with fresh arrays).
func Init(m Machine) {
	if m.NCPU < 1 || m.NCPU > MaxCPUs || len(m.CPUs) < m.NCPU || len(m.Nodes) < m.NCPU || len(m.Tasks) > MaxTasks ||
		len(m.TaskLinks) < len(m.Tasks) || len(m.TimerLinks) < len(m.Timers) || len(m.Entries) < Entries(m.NCPU, uint32(len(m.Tasks))) || len(m.EntryLinks) < len(m.Entries) {
		panic("sched: bad Machine")
	}
	machine, cpus, tasks = m, m.CPUs[:m.NCPU], m.Tasks
	taskTable.reset()
	timerTable.reset()
	exitHooks, nExitHooks = [maxExitHooks]func(int, ID){}, 0
	onTimeout, onTimer = nil, nil
	online = CPUSet{}
	lotteries.Store(0)
	for i := range quanta {
		quanta[i].Store(DefaultQuantum)
	}
	booted = m.Now()
	for i := range cpus {
		c := &cpus[i]
		c.node = uint32(m.Nodes[i]) % MaxNodes
		c.armed = Never
		c.idle = true // off until its first Leave; its bit is not set, so nothing is placed on it
		c.idleSince.Store(max(booted, 1))
		c.timers.first.Store(Never)
		c.sleeps.first = Never
		c.rng = (m.Seed<<11 + uint64(i) + 1) * 0x9e3779b97f4a7c15 // any but 0
		c.need.Store(evaluate)
		online.Add(i)
	}
	initIdle()
	initQueues()
	initVictims()
	initStealing()
	initBalance()
	tracing.Store(0)
}

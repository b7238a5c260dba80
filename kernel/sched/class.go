package sched

import (
	"math/bits"
	"sync/atomic"
)

// Class says what a task is for. Tasks of a more urgent class preempt those of the others when they wake, and go before them;
// every class ages (age.go), so that none starves.
type Class uint8

const (
	ClassNormal  Class = iota // all threads of the Go runtime
	ClassLatency              // short turns that must begin at once; who uses its quantum up goes behind the others of the class
	ClassBatch                // what may wait for the rest
	nClasses
)

// Policy orders the tasks of a class.
type Policy uint8

const (
	// RoundRobin serves the most urgent priority that waits, in turn. A more urgent one preempts when it wakes.
	RoundRobin Policy = iota
	// Lottery draws tasks with chances by their tickets (lottery.go).
	Lottery
	nPolicies
)

// Priorities, and tickets of a task.
const (
	MostUrgent      = 0
	LeastUrgent     = 7
	DefaultPriority = 3

	MinTickets     = 1
	MaxTickets     = 1<<16 - 1
	DefaultTickets = 100
)

// Bounds of a quantum, in ns, and the quantum of every class after Init: that of Go's own preemption.
const (
	MinQuantum     = 50_000
	MaxQuantum     = 100_000_000
	DefaultQuantum = 10_000_000
)

// The bands of a class begin at classBand. With RoundRobin a task is in the band of its priority, with Lottery in that of the
// binary logarithm of its tickets. Where a change of the policy leaves tasks in bands of the other one, these are served as if
// they belonged there, and go to the right one next time.
var classBand = [nClasses]uint32{
	ClassLatency: firstBand,
	ClassNormal:  firstBand + bandsPerClass,
	ClassBatch:   firstBand + 2*bandsPerClass,
}

// classMask is the bits of a class's bands, of whose first one b is.
func classMask(b uint32) uint64 { return (1<<bandsPerClass - 1) << b }

// firstOf returns the first band of the class that band b belongs to.
func firstOf(b uint32) uint32 { return (b-firstBand)&^(bandsPerClass-1) + firstBand }

var (
	lotteries atomic.Uint64    // the bands of classes under Lottery
	quanta    [4]atomic.Uint64 // ns, by class, in the order of the bands; a power of two, for begin
)

// rank returns the index in quanta.
func (c Class) rank() uint32 { return (classBand[c%nClasses] - firstBand) / bandsPerClass }

// A task's weight is the number of its band under RoundRobin, which says class and priority, and from bit 16 its tickets.
const defaultWeight = firstBand + bandsPerClass + DefaultPriority | DefaultTickets<<16

// band returns the band to which the task goes by its class and the class's policy. It inlines.
func (tk *Task) band() uint32 {
	w := tk.weight.Load()
	b := w & 0xff
	if lotteries.Load()>>(b&63)&1 != 0 {
		return tk.lotteryBand(b, w>>16)
	}
	return b
}

// SetPolicy changes the policy of a class, at any time and from any world.
func SetPolicy(c Class, p Policy) {
	mask := classMask(classBand[c%nClasses])
	if p == Lottery {
		lotteries.Or(mask)
	} else {
		lotteries.And(^mask)
	}
}

// PolicyOf returns the policy of a class.
func PolicyOf(c Class) Policy {
	if lotteries.Load()>>classBand[c%nClasses]&1 != 0 {
		return Lottery
	}
	return RoundRobin
}

// SetClassQuantum sets how long a task of the class runs before it lets the next one run, in ns, held between MinQuantum and
// MaxQuantum. It applies from the next switch.
func SetClassQuantum(c Class, ns uint64) {
	quanta[c.rank()].Store(min(max(ns, MinQuantum), MaxQuantum))
}

// ClassQuantum returns the quantum of a class in ns.
func ClassQuantum(c Class) uint64 { return quanta[c.rank()].Load() }

// SetClass puts a task into a class. One that waits changes queues at once (where that needs a spare node and there is none, at
// its next turn).
func SetClass(cpu int, t ID, c Class) {
	tk := Get(t)
	for {
		w := tk.weight.Load()
		b := w & 0xff
		if tk.weight.CompareAndSwap(w, w-b+classBand[c%nClasses]+b-firstOf(b)) {
			break
		}
	}
	if at, ok := tk.retract(); ok {
		if b := on(at).push(at, t, tk, false); b < on(at).below.Load() {
			kick(cpu, at, evaluate|preempt)
		} else if anyIdle() { // the task was in no queue for a moment
			offer(cpu, t)
		}
	} else if s, _ := tk.State(); s == StateRunning {
		kick(cpu, tk.CPU(), evaluate) // what preempts it has changed
	}
}

// SetPriority sets a task's priority for RoundRobin, 0 to 7, of which 0 is the most urgent. It applies when the task is
// queued next.
func SetPriority(t ID, priority uint8) {
	tk := Get(t)
	for {
		w := tk.weight.Load()
		if tk.weight.CompareAndSwap(w, w&^0xff|firstOf(w&0xff)+min(uint32(priority), LeastUrgent)) {
			return
		}
	}
}

// SetTickets sets a task's tickets for Lottery, 1 to 65,535. It applies from the next draw.
func SetTickets(t ID, tickets uint32) {
	tk := Get(t)
	for {
		w := tk.weight.Load()
		if tk.weight.CompareAndSwap(w, w&0xff|min(max(tickets, MinTickets), MaxTickets)<<16) {
			return
		}
	}
}

// SetQuantum gives a task a quantum of its own, in ns, held between MinQuantum and MaxQuantum; 0: that of its class. It applies
// from the task's next turn.
func SetQuantum(t ID, ns uint64) {
	if ns != 0 {
		ns = min(max(ns, MinQuantum), MaxQuantum)
	}
	Get(t).quantum.Store(uint32(ns))
}

// classOf returns the class, priority and tickets of a weight.
func classOf(w uint32) (c Class, priority uint8, tickets uint32) {
	first := firstOf(w & 0xff)
	for c = range nClasses {
		if classBand[c] == first {
			break
		}
	}
	return c, uint8(w&0xff - first), w >> 16
}

// slice returns the quantum of the task. It inlines.
func (tk *Task) slice() uint64 {
	if q := tk.quantum.Load(); q != 0 {
		return uint64(q)
	}
	return quanta[(tk.weight.Load()&0xff-firstBand)/bandsPerClass&3].Load()
}

// preemptedBelow returns the band below which a task that wakes preempts this one. It inlines.
func (tk *Task) preemptedBelow() uint32 {
	b := tk.weight.Load() & 0xff
	if lotteries.Load()>>(b&63)&1 != 0 {
		return firstOf(b)
	}
	return b
}

// log2 returns the index of the highest bit.
func log2(n uint32) uint32 { return uint32(bits.Len32(n)) - 1 }

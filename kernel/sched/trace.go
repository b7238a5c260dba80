package sched

import "sync/atomic"

// The last events of each CPU, for whoever wants to see what the scheduler did.
//
// Structure: a ring for each CPU, written by that CPU alone, read by anyone: Lamport's counters
// ("Concurrent Reading and Writing", CACM 20(11), 1977), one for each slot.
//
// Words and writers: all of a ring are its CPU's, below the runtime with interrupts off, so that one
// event is never in the middle of another. A slot's turn is odd while it is written, and 2n+2 when it
// holds event n of the CPU, which no other value of its turn ever says.
//
// Linearization: an event is there when its turn is stored; a reader has it if the turn was the same
// before and after it read the words, and else the writer has lapped him. Go's atomics are in one order.
//
// Progress: wait-free, both sides.
//
// Whoever takes part pays for two instructions where nothing is traced. Rejected: one ring for all
// CPUs, which they would fight over just when there is most to see.

// TraceSlots is how many events are kept of each CPU.
const TraceSlots = 1024

// EventKind is what happened.
type EventKind uint8

// Task is the one that it happened to. Where no meaning of Arg is given, it is 0.
const (
	EventRun     EventKind = 1 + iota // put on the CPU
	EventPreempt                      // had to make room
	EventPark                         // blocked
	EventExit                         // ended
	EventIdle                         // the CPU has nothing to run; no task
	EventWake                         // made READY by this CPU; Arg is the CPU whose queue it is in
	EventSteal                        // taken by this CPU from another's queue; Arg is that CPU
	EventBalance                      // moved by this CPU; Arg is where to
	eventKinds
)

var eventNames = [eventKinds]string{"", "run", "preempt", "park", "exit", "idle", "wake", "steal", "balance"}

func (k EventKind) String() string {
	if k < eventKinds {
		return eventNames[k]
	}
	return "?"
}

// Event is one event of a CPU.
type Event struct {
	Time uint64 // ns
	Kind EventKind
	Task ID
	Arg  uint32
}

// TraceSlot is memory for one event.
type TraceSlot struct {
	turn, time, what atomic.Uint64 // what: Arg<<40 | Kind<<32 | Task, Arg below 2^24
}

// tracing is not 0 while events are kept.
var tracing atomic.Uint32

// SetTracing begins to keep events, or ends it. False: the machine gave no memory for that.
func SetTracing(on bool) bool {
	if len(machine.Trace) < len(cpus)*TraceSlots {
		return !on
	}
	n := uint32(0)
	if on {
		n = 1
	}
	tracing.Store(n)
	return true
}

// Tracing reports whether events are kept.
func Tracing() bool { return tracing.Load() != 0 }

// trace keeps an event of the calling CPU, if events are kept. It inlines.
func trace(cpu int, k EventKind, t ID, arg int) {
	if tracing.Load() != 0 {
		record(cpu, k, t, arg)
	}
}

//go:noinline
func record(cpu int, k EventKind, t ID, arg int) {
	c := on(cpu)
	n := c.events.Load()
	s := &machine.Trace[cpu*TraceSlots+int(n%TraceSlots)]
	s.turn.Store(2*n + 1)
	s.time.Store(machine.Now())
	s.what.Store(uint64(uint32(arg))<<40 | uint64(k)<<32 | uint64(t))
	s.turn.Store(2*n + 2)
	c.events.Store(n + 1)
}

// Events calls f for each of the last n events of a CPU that are still kept, the oldest first. World:
// above the runtime.
func Events(cpu int, n int, f func(Event)) {
	if len(machine.Trace) < len(cpus)*TraceSlots {
		return
	}
	end := on(cpu).events.Load()
	for i := end - min(end, uint64(max(n, 0)), TraceSlots); i < end; i++ {
		s := &machine.Trace[cpu*TraceSlots+int(i%TraceSlots)]
		turn := s.turn.Load()
		e := Event{Time: s.time.Load()}
		what := s.what.Load()
		if turn != 2*i+2 || s.turn.Load() != turn {
			continue // lapped
		}
		e.Kind, e.Task, e.Arg = EventKind(what>>32), ID(what), uint32(what>>40)
		f(e)
	}
}

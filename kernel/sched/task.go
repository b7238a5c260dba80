package sched

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/lockfree"
)

// ID is a task's number; 0 is none. Numbers are reused, so a wakeup names a sequence number too.
type ID = uint32

// MaxTasks is the most task records that there can be (Go itself stops at 10,000 threads).
const MaxTasks = 1 << 16

// State is the low 16 bits of a task's state word; the number is above.
type State uint16

// The legal transitions, and who makes them. Only the last column's owner may, so all but those from READY and BLOCKED cannot fail:
// they have competitors, and are a CAS that names the number.
//
//	FREE    -> NEW      New, owner of the number it took
//	NEW     -> WAKING   Enqueue, the creator
//	NEW     -> FREE     Discard, the creator
//	WAKING  -> READY    push, whoever holds the task in its hands; counts the number up, before the entry is queued
//	READY   -> RUNNING  run, by CAS: the CPU that runs it, its own or a thief
//	READY   -> WAKING   retract, by CAS: who moves it to another queue
//	RUNNING -> READY    its CPU: quantum over, yield, urgent task; counts the number up
//	RUNNING -> WAKING   its CPU: the affinity changed, it must go elsewhere
//	RUNNING -> BLOCKED  its CPU, Park: counts the number up
//	BLOCKED -> WAKING   Claim, by CAS
//	BLOCKED -> READY    Unpark, who alone may end the sleep; counts the number up
//	RUNNING -> DEAD     its CPU, Exit; terminal for this life
//	DEAD    -> FREE     the same; counts the number up, which is never set back
//
// So a number names one stay in a queue, or one sleep.
const (
	StateFree    State = iota
	StateNew           // being set up by its creator
	StateReady         // in the queue of Task.cpu; belongs to whoever wins the CAS
	StateRunning       // current on Task.cpu
	StateBlocked       // belongs to whoever wins the CAS
	StateWaking        // in the hands of its waker, in no queue
	StateDead
)

const (
	numberShift = 16 // of the number in the state word
	numberOne   = 1 << numberShift
	stateMask   = numberOne - 1
)

// Context is the saved register state of a task. The trap assembly names the fields by their offsets.
type Context struct {
	RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP uint64
	R8, R9, R10, R11, R12, R13, R14, R15   uint64
	RIP, RFLAGS                            uint64
	FS                                     uint64 // FS.base: the thread pointer
	Vector                                 uint64 // what trapped last; 0 is SYSCALL, which leaves no vector state to restore
	XSave                                  uint64 // address of the XSAVE area
	MXCSR                                  uint64 // SSE control and status, which calls preserve where vector registers they need not
}

// Task is the record of one kernel thread. Records are type-stable: a stale number always reads a Task.
// The first 64 bytes are what a switch touches.
type Task struct {
	state atomic.Uint64 // number<<numberShift | State; transitions above
	cpu   atomic.Uint32 // where it is queued, runs or last ran; written with the task in hand, before READY or after RUNNING

	// Attn is non-zero when the task has a deliverable signal: the trap exit diverts to its delivery, and the queues put
	// the task first. Any CPU sets it, then calls Urgent; the task's own CPU clears it.
	Attn atomic.Uint32

	node    atomic.Uint32 // for its next entry in a band; who has the task in hand. 0 while it is in one
	affine  atomic.Uint32 // 0: may run anywhere and has no home (home.go)
	weight  atomic.Uint32 // class, priority and tickets (class.go); by CAS
	quantum atomic.Uint32 // ns, 0: its class's

	quantumEnd uint64         // ns; while not RUNNING what is left of the quantum, 0: all. Whoever has the task in hand
	readySince uint64         // ns; whoever has the task in hand before READY, its CPU after
	cpuTime    lockfree.Owned // ns on a CPU, up to the last switch or tick
	switches   lockfree.Owned // times put on a CPU

	// Ctx belongs to the task's CPU while RUNNING and to the winner of Claim while WAKING.
	Ctx Context

	waitTime   lockfree.Owned // ns READY but not running
	migrations atomic.Uint64  // times queued or pulled to another CPU than its last
	created    atomic.Uint64  // ns
	name       [2]atomic.Uint64
	affinity   [len(CPUSet{})]atomic.Uint64 // under affinityLock for writers
	boost      atomic.Uint32                // tickets until it is drawn next, 0: its own; whoever has the task in hand
	timer      uint32                       // node of its last sleep with a deadline (sleep.go); whoever has the task in hand
	unlisted   [2]atomic.Uint64             // deadline and number of a sleep without a node; whoever has the task in hand
	sleep      TimerNode
	_          [32]byte
}

// Get returns the record of a task. The number must be one that New returned, now or earlier: it is not checked, since that
// would be a tenth of a switch.
func Get(t ID) *Task {
	return (*Task)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(tasks)), uintptr(t)*unsafe.Sizeof(Task{})))
}

// State returns the task's state and the number of its current sleep (BLOCKED), or of what came after its last one.
func (tk *Task) State() (State, uint64) {
	w := tk.state.Load()
	return State(w), w >> numberShift
}

// NextSeq returns the number that the task's next Park will return, for a waiter that must publish it before parking.
// Preconditions: the task is RUNNING on the calling CPU.
func (tk *Task) NextSeq() uint64 { return (tk.state.Load() + numberOne) >> numberShift }

// CPU returns the number of the CPU where the task is queued, runs or last ran.
func (tk *Task) CPU() int { return int(tk.cpu.Load()) }

// move changes the state of a task that is the caller's alone.
func (tk *Task) move(from, to State) { tk.state.Add(uint64(to) - uint64(from)) }

// taskTable hands out task numbers.
var taskTable table

// New takes a free task number for the caller to set up: the state is NEW, the context zero, the class normal, the affinity and the home that of
// the CPU's current task. ok is false when there is no number or no memory for a record.
func New(cpu int) (t ID, ok bool) {
	t, ok = taskTable.take(cpu, machine.TaskLinks, uint32(len(tasks)), machine.GrowTasks)
	if !ok {
		return 0, false
	}
	tk := Get(t)
	tk.Ctx = Context{}
	tk.Attn.Store(0)
	tk.cpu.Store(uint32(cpu))
	tk.cpuTime.Store(0)
	tk.switches.Store(0)
	tk.waitTime.Store(0)
	tk.migrations.Store(0)
	tk.created.Store(machine.Now())
	tk.name[0].Store(0)
	tk.name[1].Store(0)
	tk.weight.Store(defaultWeight)
	tk.quantum.Store(0)
	tk.quantumEnd = 0
	tk.boost.Store(0)
	tk.equip(t)
	tk.inherit(on(cpu).cur.Load())
	tk.move(StateFree, StateNew)
	return t, true
}

// Discard gives back a task that New returned and that was never enqueued.
func Discard(t ID) {
	tk := Get(t)
	if s, _ := tk.State(); s != StateNew {
		panic("sched: Discard of a task that is not new")
	}
	tk.free(t)
}

// free ends a life: the next one's first sleep has a number that no wakeup for this one can name.
func (tk *Task) free(t ID) {
	tk.state.Store(tk.state.Load()&^stateMask + numberOne + uint64(StateFree))
	taskTable.free.Push(machine.TaskLinks, t)
}

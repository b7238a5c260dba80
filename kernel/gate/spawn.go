package gate

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"pdac/kernel/space"
)

// Tasks that programs make. A spawned task is a goroutine with a kernel thread of its own, which the
// kernel's scheduler runs by class, priority or tickets, and quantum, on the CPUs it may; other
// goroutines share the Go runtime's threads, and the kernel knows nothing of them.
//
// A goroutine runs only where it has one of the runtime's Ps, so each spawned task adds one
// (procs.go). Goroutines that it starts are ordinary ones, in its space.
//
// Rejected: tasks as coroutines of threads that the gate keeps (the runtime forbids to move a locked
// goroutine), and giving threads back to be used again (their goroutine would have to undo all that a
// program can do to its thread).

// Class is what a task is for.
type Class uint8

// Classes.
const (
	Normal  Class = iota // all of the Go runtime's threads are of this one
	Latency              // runs as soon as it is woken, for short turns
	Batch                // when nothing else wants to, and now and then all the same
)

// TaskOptions say what a task is to be like. 0 means the default.
type TaskOptions struct {
	Name     string        // of which ps shows 15 bytes; "spawned"
	Class    Class         // Normal
	Priority int           // for round robin: -3, the most urgent, to 4
	Tickets  int           // for lottery: 1 to 65,535; 100
	Quantum  time.Duration // 50 us to 100 ms; the class's
	CPUs     []int         // where it may run; all
	Home     Node          // where its memory is and it would rather run; where it begins
	Space    ID            // that it is in, with Execute; the caller's
}

// Node names a home node. 0 is none.
type Node int

// OnNode names node n.
func OnNode(n int) Node { return Node(n + 1) }

// Limits of TaskOptions.
const (
	MinPriority, MaxPriority = -3, 4
	MaxTickets               = 65535
	MinQuantum, MaxQuantum   = 50 * time.Microsecond, 100 * time.Millisecond
)

// spawned is a task that a program made.
type spawned struct {
	killed atomic.Bool
	dying  atomic.Bool            // it has seen that it was killed
	wake   atomic.Pointer[func()] // ends its wait

	life    sync.Mutex // keeps its end away
	thread  int        // number of its thread; 0 before it begins, and after its end
	over    bool
	options TaskOptions

	done chan struct{} // closed at its end
	err  error         // how it ended; before that
}

// Spawn starts f as a task of its own, and returns a capability for it, which the caller's space
// holds. Read is for TaskJoin and TaskStatus, Write for TaskTune, Delete for TaskKill; without any
// capability left it goes on. A panic of f that nobody recovers ends the program, as of any goroutine.
// f keeps its thread: should it unlock it, then what the task is like stays with the thread.
// id is one for Roots.Task with Create.
//
// Errors: of id, of o.Space; *ArgumentError; ErrNoSpace; ErrMissing; ErrFull: so many tasks, as many
// threads as there can be; ErrMemory.
func Spawn(id ID, o TaskOptions, f func()) (ID, error) {
	if err := taskSpawn.check(&o); err != nil {
		return 0, err
	}
	if f == nil {
		return 0, taskSpawn.bad("f", "a function")
	}
	home := Space(space.Get())
	if o.Space != 0 {
		var err error
		if home, err = into(spaceGo, o.Space, f); err != nil {
			return 0, taskSpawn.fail(errors.Unwrap(err))
		}
	}
	if o.Name == "" {
		o.Name = "spawned"
	}
	o.CPUs = slices.Clone(o.CPUs)
	x := &spawned{done: make(chan struct{}), options: o}
	made, err := x.admit(id)
	if err != nil {
		return 0, err
	}
	core.tasks.procs.more() // outside of the section: it waits for the collector
	go x.run(core.tasks, home, f)
	return made, nil
}

// admit counts a task that is about to be, and returns a capability for it.
func (x *spawned) admit(id ID) (ID, error) {
	t, _, err := enter(taskSpawn, id)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	if err := core.tasks.add(); err != nil {
		return 0, taskSpawn.fail(err)
	}
	made, err := newObject(typeThread, x, nil, usual)
	if err != nil {
		core.tasks.cancel()
	}
	return made, taskSpawn.fail(err)
}

// run is the task.
func (x *spawned) run(k *tasks, home Space, f func()) {
	runtime.LockOSThread() // and never unlocked, so that the thread ends with the goroutine
	err := error(ErrKilled)
	defer func() { // after a panic too, and after Goexit
		k.end(x)
		x.err = err
		k.procs.fewer()
		k.remove() // first: who joins may spawn another
		close(x.done)
	}()
	k.begin(x)
	x.tune(func(*TaskOptions) {})
	space.Set(uint32(home))
	if !x.killed.Load() {
		f()
		err = nil
	}
}

// check says whether a task can be like that.
func (c call) check(o *TaskOptions) error {
	switch {
	case o.Class > Batch:
		return c.bad("Class", "Normal, Latency or Batch")
	case o.Priority < MinPriority || o.Priority > MaxPriority:
		return c.bad("Priority", "-3 to 4")
	case o.Tickets < 0 || o.Tickets > MaxTickets:
		return c.bad("Tickets", "1 to 65535, or 0")
	case o.Quantum != 0 && (o.Quantum < MinQuantum || o.Quantum > MaxQuantum):
		return c.bad("Quantum", "50 us to 100 ms, or 0")
	case o.Home < 0 || int(o.Home) > core.threads.Nodes:
		return c.bad("Home", "OnNode of a node that there is, or 0")
	}
	for _, cpu := range o.CPUs {
		if cpu < 0 || cpu >= len(core.lanes) {
			return c.bad("CPUs", "CPUs that there are")
		}
	}
	return nil
}

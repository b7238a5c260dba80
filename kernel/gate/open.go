package gate

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
	"unsafe"

	"pdac/kernel/cap"
	"pdac/kernel/ipc"
	"pdac/kernel/linux"
	"pdac/kernel/rcu"
	"pdac/kernel/sched/dag"
	"pdac/kernel/space"
)

// Config is the machine as the gate sees it. CPUs, CPU, Local, SetLocal, Now and Key must be set.
type Config struct {
	CPUs     int
	CPU      func() int            // the caller's, more or less
	Local    func() unsafe.Pointer // what SetLocal was given for the caller's CPU, more or less
	SetLocal func(cpu int, p unsafe.Pointer)
	NodeOf   func(cpu int) int // nil: all on node 0
	Now      func() uint64     // ns since boot; callable below the runtime
	Key      [2]uint64         // random
	Slots    int               // capabilities at most; 0: cap.MaxSlots
	Output   io.Writer         // the console's line
	Input    io.Reader         // nil: the kernel's console has it
	Task     func() Task       // of the calling task; Space is the gate's to fill in
	Threads  Threads           // for spawned tasks
	Workers  func() dag.Config // for executors; nil: there are none
	Power    func(code int)    // off
	Reboot   func()
	// NUMA nodes, and the node of memory, false where it was not touched; 0 and nil: unknown.
	Nodes        int
	NodeOfMemory func(at uintptr) (node int, ok bool)

	Track bool            // rcu.Config.Track
	Stall func(rcu.Stall) // rcu.Config.OnStall
}

// core is what every call works with. Written by Open, before there are calls; then constant.
var core struct {
	table     *cap.Table
	quick     unsafe.Pointer // *cap.Table: the same, but noTable where sections are registered or a kill is pending
	local     func() unsafe.Pointer
	rcu       *rcu.Domain
	cpu       func() int
	now       func() uint64
	traps     rcu.Traps // of Linux calls that ask: ask.go
	endpoints *ipc.Table
	roots     Roots
	console   *line
	task      func() Task
	threads   Threads
	workers   func() dag.Config
	tasks     *tasks
	power     func(int)
	reboot    func()
	nodes     int
	nodeOf    func(at uintptr) (int, bool)

	pending atomic.Int32 // kills that their tasks don't know of: tasks.go

	track bool
	lanes []lane // by CPU
}

var opened atomic.Bool

// Roots are the root capabilities: one for each type of object that is there from the start.
type Roots struct {
	Spaces, Task, Memory, Endpoints, Console, Clock, Log, Stats, Power ID

	// What Linux calls of the root space reach outside by. They are good for nothing else but to
	// derive from, for NewSpace.
	Files, Machine ID
}

// Open starts the gate, once: the kernel does, before the program's main. It returns what the
// kernel's console may do.
func Open(c Config) (*Operator, error) {
	if opened.Swap(true) {
		return nil, fmt.Errorf("gate: opened twice")
	}
	return open(c)
}

func open(c Config) (*Operator, error) {
	k := &core
	k.cpu, k.now = c.CPU, c.Now
	k.traps = make(rcu.Traps, c.CPUs)
	k.rcu = rcu.New(rcu.Config{
		CPUs:       c.CPUs,
		Traps:      k.traps,
		Now:        c.Now,
		CPU:        c.CPU,
		Go:         spaceless,
		StallAfter: time.Second,
		OnStall:    c.Stall,
		Track:      c.Track,
	})
	var err error
	if k.table, err = cap.New(cap.Config{Slots: c.Slots, CPUs: c.CPUs, NodeOf: c.NodeOf, Now: c.Now, Key: c.Key, RCU: k.rcu}); err != nil {
		return nil, err
	}
	if k.endpoints, err = ipc.New(ipc.Config{Endpoints: maxEndpoints, Capabilities: carrier{}, Pages: &addresses}); err != nil {
		return nil, err
	}
	k.task, k.power, k.reboot = c.Task, c.Power, c.Reboot
	k.nodes, k.nodeOf = c.Nodes, c.NodeOfMemory
	k.workers = c.Workers
	k.threads, k.tasks = c.Threads, &tasks{procs: procs{set: c.Threads.Procs, cpus: c.CPUs}}
	k.console = newLine(c.Output, c.Input)
	k.track, k.lanes, k.local = c.Track, make([]lane, c.CPUs), c.Local
	for cpu := range k.lanes {
		c.SetLocal(cpu, unsafe.Pointer(&k.lanes[cpu]))
	}
	k.rcu.Attach(func(cpu int) *rcu.Lane { return &k.lanes[cpu].rcu })
	k.tasks.slower(0)
	if err := k.roots.create(); err != nil {
		return nil, err
	}
	openSpaces(&k.roots)
	linux.SetAsk(&answer)
	return &Operator{real: true}, nil
}

// create makes the root capabilities.
func (r *Roots) create() (err error) {
	for _, x := range []struct {
		id *ID
		t  cap.Type
	}{
		{&r.Spaces, typeSpaces}, {&r.Task, typeTask}, {&r.Memory, typeMemory}, {&r.Endpoints, typeEndpoints},
		{&r.Console, typeConsole}, {&r.Clock, typeClock}, {&r.Log, typeLog}, {&r.Stats, typeStats},
		{&r.Power, typePower}, {&r.Files, typeFiles}, {&r.Machine, typeMachine},
	} {
		if *x.id, err = core.table.Create(0, cap.Space(space.Root), cap.MakeObject(x.t, 0), usual|Create, Options{}); err != nil {
			return err
		}
	}
	return nil
}

// usual are the permissions that all types of objects know.
const usual = Read | Write | Execute | Delete | Delegate | Revoke | Transfer | Upgrade

// Root returns the root capabilities to goroutines of the root space, where the program begins, and
// zeros to all others.
//
// Preconditions: the board's package has been initialised, so the caller's imports it, or the
// caller is not an init function.
func Root() Roots {
	if space.Get() != space.Root {
		return Roots{}
	}
	return core.roots
}

// spaceless starts f on a goroutine without a space: RCU's, which would else inherit the space of
// whoever is the first to have something called.
func spaceless(f func()) {
	go func() {
		space.Set(space.None)
		f()
	}()
}

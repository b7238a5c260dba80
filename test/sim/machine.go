package sim

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"pdac/kernel/lockfree"
	"pdac/kernel/sched"
)

const never = sched.Never

// Config is what a run depends on: the same one gives the same trace.
type Config struct {
	Topology *Topology
	Costs    Costs
	Seed     uint64
	Stalls   Stalls
	Limit    uint64         // virtual ns after which the run has failed; 0: an hour
	Check    bool           // after every event
	Bound    uint64         // ns for which a CPU may be idle while a task that it may run waits as long, with Check; 0: 100 us
	Trace    io.Writer      // a line for each step; nil: none
	Strategy sched.Strategy // of idle CPUs
}

// Stalls are delays as a hypervisor makes them: before an event, a CPU stops for a time.
type Stalls struct {
	Rate uint32 // of 65,536 events
	Mean uint64 // ns, exponentially distributed
}

// Workload is what the tasks do. Its methods call back the Machine's.
type Workload interface {
	// Tasks is the most tasks that there are at a time.
	Tasks() int
	// Start makes the first tasks and arrivals, at time 0, on CPU 0 if it doesn't say otherwise.
	Start(m *Machine)
	// Step is called when task t has computed what it was to. It makes at most one system call, and sets what t computes
	// next (Compute); if it does neither the task is stuck, which fails the run.
	Step(m *Machine, t sched.ID)
	// Arrive is called for an interrupt that Arrival asked for, and may make any calls but those about a running task.
	Arrive(m *Machine)
	// Least is called last. It returns a lower bound of the makespan, in ns, that no scheduler without costs can beat.
	Least(m *Machine) uint64
}

// Noter is a Workload with something of its own to tell at the end.
type Noter interface{ Note() string }

// Machine is the simulated machine.
type Machine struct {
	cfg    Config
	work   Workload
	rng    *rand.Rand
	now    uint64 // ns
	agenda *agenda
	cpus   []cpu
	tasks  []task
	lines  lines
	live   int // tasks made and not ended
	idle   int // CPUs without a task
	over   bool
	trace  tracer
	err    error
	fair   jain
	Result

	// Of the trap that runs.
	cpu      int
	c        *cpu
	stepping bool // it is a task's system call, if anything
	called   bool // the Step made one
}

// Run simulates a workload to its end. The error names what was violated; the Result is what came before it.
func Run(cfg Config, w Workload) (*Result, error) {
	n := len(cfg.Topology.Node)
	if cfg.Limit == 0 {
		cfg.Limit = 3600e9
	}
	if cfg.Bound == 0 {
		cfg.Bound = 100_000
	}
	m := &Machine{
		cfg: cfg, work: w,
		rng:    rand.New(rand.NewPCG(cfg.Seed, 1)),
		agenda: newAgenda(n),
		cpus:   make([]cpu, n),
		tasks:  make([]task, w.Tasks()+1),
		lines:  newLines(cfg.Topology, &cfg.Costs),
		idle:   n,
		trace:  newTracer(cfg.Trace),
	}
	links := make([]uint32, len(m.tasks))
	sched.Init(sched.Machine{
		NCPU:  n,
		Nodes: cfg.Topology.Node,
		Seed:  cfg.Seed,

		Distances: cfg.Topology.distances(),
		Now:       func() uint64 { return m.now },
		Kick:      m.kicked,
		Arm:       func(cpu int, deadline uint64) { m.cpus[cpu].timer = deadline },
		CPUs:      make([]sched.CPU, n),

		Tasks:      make([]sched.Task, len(m.tasks)),
		TaskLinks:  links,
		GrowTasks:  func(int, uint32) bool { return true },
		Entries:    make([]lockfree.Node, sched.Entries(n, uint32(len(m.tasks)))),
		EntryLinks: make([]uint32, sched.Entries(n, uint32(len(m.tasks)))),
		Timers:     make([]sched.TimerNode, 1),
		TimerLinks: make([]uint32, 1),
		GrowTimers: func(int, uint32) bool { return true },
	})
	sched.SetStrategy(cfg.Strategy)
	sched.OnTimeout(m.timeout)
	m.boot()
	for m.live > 0 && !m.over && m.err == nil {
		cpu, at := m.agenda.first()
		if at == never || at > cfg.Limit {
			m.fail("nothing more before %d ns, with %d tasks alive", cfg.Limit, m.live)
			break
		}
		m.now = at
		m.event(cpu)
		m.Events++
		if cfg.Check {
			m.check(m.Events%4096 == 0)
		}
	}
	m.finish()
	return &m.Result, m.err
}

// boot brings all CPUs into their idle loops, free of charge, and starts the workload.
func (m *Machine) boot() {
	for i := range m.cpus {
		m.cpus[i] = cpu{run: never, kick: never, timer: never, device: never, halted: true}
	}
	for i := range m.cpus {
		sched.Leave(i)
	}
	m.on(0)
	m.work.Start(m)
	for i := range m.cpus {
		c := &m.cpus[i]
		c.free, c.began, c.cost = c.cost, c.cost, 0
		if sched.NeedLeave(i) {
			c.kick = 0
		}
		m.agenda.set(i, c.next())
	}
}

func (m *Machine) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("at %d ns, event %d: %w", m.now, m.Events, errors.New(fmt.Sprintf(format, args...)))
	}
}

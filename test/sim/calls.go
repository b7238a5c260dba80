package sim

import (
	"math/rand/v2"

	"pdac/kernel/sched"
)

// What a workload may call. In a Step the calls are those of its task, and system calls.

// Rand returns the run's random numbers.
func (m *Machine) Rand() *rand.Rand { return m.rng }

// Now returns the virtual time in ns.
func (m *Machine) Now() uint64 { return m.now }

// CPUs returns the number of CPUs.
func (m *Machine) CPUs() int { return len(m.cpus) }

// CPU returns the number of the calling CPU.
func (m *Machine) CPU() int { return m.cpu }

// Node returns a CPU's node.
func (m *Machine) Node(cpu int) int { return int(m.cfg.Topology.Node[cpu]) }

// On makes the calls that follow in a Start those of another CPU.
func (m *Machine) On(cpu int) { m.on(cpu) }

// Compute sets what task t computes before its next Step, in ns.
func (m *Machine) Compute(t sched.ID, ns uint64) { m.tasks[t].rest = ns }

// Stop ends the run after this event.
func (m *Machine) Stop() { m.over, m.Makespan = true, m.now }

// Used returns what a task has computed, in ns, up to its last trap.
func (m *Machine) Used(t sched.ID) uint64 { return m.tasks[t].used }

// Arrival makes a device interrupt arrive on a CPU at a time in ns, or earlier if one is due that is earlier.
func (m *Machine) Arrival(cpu int, at uint64) {
	c := &m.cpus[cpu]
	c.device = min(c.device, max(at, m.now))
	m.agenda.set(cpu, c.next())
}

// enter is the way into a Step's system call.
func (m *Machine) enter() {
	if !m.stepping {
		return // already in the kernel
	}
	if m.called {
		m.fail("task %d makes two calls in one step", m.c.cur)
	}
	m.called = true
	m.charge(entering, Syscall, 1)
}

// Spawn makes a task with a working set of lines, whose first Step comes as soon as it runs.
func (m *Machine) Spawn(lines uint32) sched.ID { return m.SpawnPinned(lines, -1) }

// SpawnPinned is Spawn of a task that runs on one CPU only.
func (m *Machine) SpawnPinned(lines uint32, cpu int) sched.ID { return m.SpawnAs(lines, cpu, nil) }

// SpawnAs is SpawnPinned, or Spawn for CPU -1, of a task that set, if not nil, prepares before it is queued.
func (m *Machine) SpawnAs(lines uint32, cpu int, set func(t sched.ID)) sched.ID {
	m.enter()
	t, ok := sched.New(m.cpu)
	if !ok {
		m.fail("no task left of %d", len(m.tasks)-1)
		return 0
	}
	m.charge(making, New, 1)
	m.tasks[t] = task{at: int32(m.cpu), lines: lines, pinned: int32(cpu)}
	if cpu >= 0 {
		var mask sched.CPUSet
		mask.Add(cpu)
		sched.SetAffinity(m.cpu, t, &mask)
	}
	if set != nil {
		set(t)
	}
	m.live++
	m.Tasks++
	m.trace.add(m.now, "spawn", m.cpu, t)
	m.beforePush(t)
	sched.Enqueue(m.cpu, t)
	m.afterPush(t)
	return t
}

// Wake ends the sleep of a task; it reports whether the task slept.
func (m *Machine) Wake(t sched.ID) bool {
	m.enter()
	m.charge(waking, Futex, 1)
	if m.tasks[t].state != sleeping {
		return false
	}
	m.wake(t, m.tasks[t].sleep)
	return true
}

func (m *Machine) wake(t sched.ID, seq uint64) {
	m.trace.add(m.now, "wake", m.cpu, t)
	m.beforePush(t)
	if !sched.Wake(m.cpu, t, seq, 0, false) {
		m.fail("task %d could not be woken from its sleep %d", t, seq)
	}
	m.afterPush(t)
}

func (m *Machine) beforePush(t sched.ID) {
	m.charge(waking, Push, 1)
	tk := &m.tasks[t]
	tk.state, tk.ready = waiting, m.now+m.c.cost
}

func (m *Machine) afterPush(t sched.ID) {
	at := sched.Get(t).CPU()
	m.tasks[t].queued = int32(at)
	m.ownQueue(at)
	m.lookAtIdle()
}

// Park puts the calling task to sleep until it is woken, or until a deadline in ns, 0 for none.
func (m *Machine) Park(deadline uint64) {
	m.enter()
	m.charge(waking, Futex, 1)
	m.charge(waking, Park, 1)
	t := m.c.cur
	m.trace.add(m.now, "park", m.cpu, t)
	tk := &m.tasks[t]
	tk.sleep, tk.state = sched.Park(m.cpu, t, deadline), sleeping
	m.c.cur = 0
}

// Yield lets others run first.
func (m *Machine) Yield() {
	m.enter()
	m.trace.add(m.now, "yield", m.cpu, m.c.cur)
	sched.Yield(m.cpu, m.c.cur)
}

// Exit ends the calling task.
func (m *Machine) Exit() {
	m.enter()
	m.charge(making, Exit, 1)
	t := m.c.cur
	m.trace.add(m.now, "exit", m.cpu, t)
	m.ended(t)
	m.live--
	sched.Exit(m.cpu, t)
	m.c.cur = 0
	m.Makespan = m.now + m.c.cost
}

// ended accounts a task for good.
func (m *Machine) ended(t sched.ID) {
	tk := &m.tasks[t]
	tk.state = none
	if wanted := tk.used + tk.waited; wanted != 0 {
		m.fair.add(float64(tk.used) / float64(wanted))
	}
}

package sim

import "pdac/kernel/sched"

// cpu is a simulated CPU.
type cpu struct {
	run, kick, timer, device uint64 // ns of its next events, never: none
	free                     uint64 // in the kernel, interrupts off, or stalled until then
	began                    uint64 // its task's present stretch of computing began; or the CPU's idleness
	cost                     uint64 // of the trap that runs
	cur                      sched.ID
	seen                     sched.CPUStats // at the end of its last trap
	halted                   bool
	stalled                  bool   // this event has been delayed
	thawed                   uint64 // the last stall ended
}

func (c *cpu) next() uint64 {
	at := min(c.run, c.kick, c.timer, c.device)
	if at == never {
		return never
	}
	return max(at, c.free)
}

// task is what the simulator knows of a task.
type task struct {
	state  state
	ran    bool
	at     int32  // CPU whose cache has its record, and its working set if it ran
	queued int32  // CPU in whose queue it was last put
	lines  uint32 // of its working set
	rest   uint64 // ns left to compute until its next Step
	ready  uint64 // ns; READY since
	used   uint64 // ns computed
	waited uint64 // ns READY
	sleep  uint64 // number of its sleep
	pinned int32  // CPU, -1: none
}

type state uint8

const (
	none state = iota
	waiting
	running
	sleeping
)

// on makes a CPU the one whose trap runs.
func (m *Machine) on(cpu int) { m.cpu, m.c = cpu, &m.cpus[cpu] }

// event runs the trap that is due on a CPU.
func (m *Machine) event(cpu int) {
	m.on(cpu)
	c := m.c
	if m.stall() {
		return
	}
	c.cost = 0
	if min(c.kick, c.timer, c.device) <= m.now {
		m.interrupt()
	} else {
		m.step()
	}
	m.agenda.set(cpu, c.next())
}

// stall delays an event, at random, once.
func (m *Machine) stall() bool {
	c := m.c
	if c.stalled = !c.stalled && m.cfg.Stalls.Rate != 0 && m.rng.Uint32()>>16 < m.cfg.Stalls.Rate; !c.stalled {
		return false
	}
	d := uint64(m.rng.ExpFloat64() * float64(m.cfg.Stalls.Mean))
	m.Spent[stalled] += d
	m.Stalled++
	if c.cur != 0 {
		c.run += d
		m.tasks[c.cur].used -= d // computing and idleness are counted from beginning to end
		m.Spent[computing] -= d
	} else {
		m.Spent[idling] -= d
	}
	c.free, c.thawed = m.now+d, m.now+d
	m.trace.add(m.now, "stall", m.cpu, c.cur)
	m.agenda.set(m.cpu, c.next())
	return true
}

// interrupt takes all interrupts that have arrived.
func (m *Machine) interrupt() {
	c := m.c
	if c.cur != 0 {
		m.stretch()
	} else {
		m.Spent[idling] += m.now - c.began
		m.charge(entering, HaltExit, 1)
	}
	m.charge(entering, Interrupt, 1)
	ticked, arrived := c.timer <= m.now, c.device <= m.now
	c.kick = never
	if ticked {
		c.timer = never
		sched.Tick(m.cpu)
	}
	if arrived {
		c.device = never
		m.work.Arrive(m)
	}
	m.leave()
}

// step lets the current task go on after what it computed.
func (m *Machine) step() {
	t := m.c.cur
	m.stretch()
	m.stepping, m.called = true, false
	m.work.Step(m, t)
	m.stepping = false
	switch {
	case m.called:
		m.leave()
	case m.tasks[t].rest != 0:
		m.c.run, m.c.began = m.now+m.tasks[t].rest, m.now
	default:
		m.fail("task %d neither computes nor calls", t)
	}
}

// stretch accounts what the current task has computed since c.began.
func (m *Machine) stretch() {
	c, tk := m.c, &m.tasks[m.c.cur]
	did := m.now - c.began
	tk.rest = c.run - m.now
	tk.used += did
	m.Spent[computing] += did
}

// leave ends a trap: the CPU goes on with what the scheduler says.
func (m *Machine) leave() {
	c := m.c
	next := sched.Leave(m.cpu)
	now := sched.Stats(m.cpu)
	pulled := now.Pulls != c.seen.Pulls
	if next == 0 || pulled {
		m.search(int(now.Looks - c.seen.Looks))
	}
	m.moved(now.Stolen - c.seen.Stolen - (now.Pulls - c.seen.Pulls) + now.Balanced - c.seen.Balanced)
	c.seen = now
	if next != c.cur {
		if c.cur != 0 {
			m.preempted(c.cur)
		}
		if next != 0 {
			m.dispatch(next, pulled)
		}
		c.cur = next
	}
	c.free = m.now + c.cost
	c.began = c.free
	c.run = never
	if next != 0 {
		c.run = c.free + m.tasks[next].rest
	}
	m.halt(next == 0)
}

// halt notes whether the trap's CPU is idle from here on.
func (m *Machine) halt(halted bool) {
	if halted && !m.c.halted {
		m.idle++
	} else if !halted && m.c.halted {
		m.idle--
	}
	m.c.halted = halted
}

func (m *Machine) preempted(t sched.ID) {
	m.charge(switching, Requeue, 1)
	tk := &m.tasks[t]
	tk.state, tk.ready, tk.queued = waiting, m.now+m.c.cost, int32(m.cpu)
	m.Preemptions++
	m.trace.add(m.now, "preempt", m.cpu, t)
}

// dispatch puts a task that waits on the trap's CPU.
func (m *Machine) dispatch(t sched.ID, pulled bool) {
	c, tk := m.c, &m.tasks[t]
	if tk.state != waiting {
		m.fail("CPU %d runs task %d, whose state is %d", m.cpu, t, tk.state)
		return
	}
	from := m.cpu
	what := "run"
	if pulled {
		from = int(tk.queued)
		m.Steals++
		what = "steal"
	}
	m.ownQueue(from)
	m.charge(switching, Switch, 1)
	if int(tk.at) != m.cpu {
		d := m.lines.distance(m.cpu, int(tk.at))
		m.spend(sharing, recordLines*d)
		if tk.ran {
			m.Migrations++
			m.spend(refilling, uint64(tk.lines)*d/Overlap)
		}
	}
	if at := m.now + c.cost; tk.ready > at {
		m.spend(sharing, tk.ready-at) // its pusher is not done yet
	}
	wait := m.now + c.cost - tk.ready
	m.Waits.add(wait)
	m.checkWait(t, wait)
	tk.state, tk.ran, tk.at = running, true, int32(m.cpu)
	tk.waited += wait
	m.Switches++
	m.trace.add(m.now, what, m.cpu, t)
}

// kicked is the scheduler's IPI.
func (m *Machine) kicked(cpu int) {
	c := &m.cpus[cpu]
	m.charge(kicking, Send, 1)
	m.ownQueue(cpu) // what it is sent for was put there
	if c.cur == 0 {
		m.own(&m.lines.idle[m.cfg.Topology.Node[cpu]])
	}
	c.kick = min(c.kick, m.now+m.c.cost+m.cfg.Costs[Flight])
	m.Kicks++
	m.trace.add(m.now, "kick", cpu, 0)
	m.agenda.set(cpu, c.next())
}

// timeout is the scheduler's callback for a sleep whose deadline has passed.
func (m *Machine) timeout(cpu int, t sched.ID, seq uint64) { m.wake(t, seq) }

// moved charges tasks that went from one queue to another without running: a pop and a push each, and the record's first line.
func (m *Machine) moved(n uint64) {
	m.charge(switching, Push, 2*n)
	m.spend(sharing, n*m.cfg.Costs[NearLine])
}

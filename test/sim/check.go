package sim

import "pdac/kernel/sched"

// check fails the run if the scheduler and the simulator disagree about the CPU that had the event; all is also about every
// task: none is lost, none is twice.
func (m *Machine) check(all bool) {
	c := m.c
	if cur := sched.Current(m.cpu); cur != c.cur {
		m.fail("CPU %d: current task %d, expected %d", m.cpu, cur, c.cur)
	}
	if c.cur != 0 {
		m.checkTask(c.cur)
		if tk := &m.tasks[c.cur]; tk.pinned >= 0 && int(tk.pinned) != m.cpu {
			m.fail("CPU %d runs task %d, which may run on CPU %d only", m.cpu, c.cur, tk.pinned)
		}
		if sched.Get(c.cur).CPU() != m.cpu {
			m.fail("CPU %d runs task %d, which believes to be on CPU %d", m.cpu, c.cur, sched.Get(c.cur).CPU())
		}
	}
	if !all {
		return
	}
	seen := 0
	for i := range m.cpus {
		if m.cpus[i].cur != 0 {
			seen++
		}
	}
	for t := range m.tasks {
		if m.tasks[t].state != none {
			m.checkTask(sched.ID(t))
		}
		if m.tasks[t].state == running {
			seen--
		}
	}
	if seen != 0 {
		m.fail("%d more CPUs run than tasks", seen)
	}
}

func (m *Machine) checkTask(t sched.ID) {
	want := [...]sched.State{waiting: sched.StateReady, running: sched.StateRunning, sleeping: sched.StateBlocked}
	if s, _ := sched.Get(t).State(); s != want[m.tasks[t].state] {
		m.fail("task %d is in state %d, expected %d", t, s, want[m.tasks[t].state])
	}
}

// checkWait fails the run if a CPU, one that could have run it, has been idle for as long as task t waited. A task in the queue of
// a CPU that is about to look there is left to it, and waits for it if it stalls: that is left to the figures.
func (m *Machine) checkWait(t sched.ID, wait uint64) {
	if !m.cfg.Check || wait <= m.cfg.Bound || m.idle == 0 ||
		m.c.thawed > m.tasks[t].ready || m.cpus[m.tasks[t].queued].thawed > m.tasks[t].ready {
		return
	}
	for i := range m.cpus {
		c := &m.cpus[i]
		if c.halted && i != m.cpu && c.kick == never && c.began+m.cfg.Bound < m.now && m.tasks[t].ready+m.cfg.Bound < m.now &&
			(m.tasks[t].pinned < 0 || int(m.tasks[t].pinned) == i) {
			m.fail("task %d waited %d ns for CPU %d while CPU %d was idle", t, wait, m.cpu, i)
		}
	}
}

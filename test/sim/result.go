package sim

import "pdac/kernel/sched"

// Cause is what a CPU's time went to.
type Cause uint8

const (
	computing Cause = iota // the tasks' own
	idling
	entering  // system calls, interrupts, wakeups from HLT
	making    // tasks made and ended
	waking    // pushes and parks
	switching // between tasks
	sharing   // waits for lines of other CPUs
	searching // for a task to steal
	refilling // working sets of tasks that migrated
	kicking   // IPIs sent
	stalled   // by the hypervisor
	nCauses
)

// Causes are the names.
var Causes = [nCauses]string{"computing", "idle", "entry", "new+exit", "push+park", "switch", "lines", "search", "refill", "IPIs",
	"stalled"}

// Result is what a run came to.
type Result struct {
	Makespan uint64 // ns, to the last task's end
	Least    uint64 // ns, that no scheduler beats
	Jain     float64
	Waits    Histogram // from READY to running, each time

	Tasks, Switches, Steals, Migrations, Preemptions, Kicks, Searches, Stalled, Events uint64

	Spent [nCauses]uint64 // ns of all CPUs
	Hash  uint64          // of the trace
	Note  string          // what the workload has to tell
}

// Computed returns what the tasks computed, in ns: on one CPU and without costs it would take as long.
func (r *Result) Computed() uint64 { return r.Spent[computing] }

// Speedup is how many times faster than one CPU without costs the machine was.
func (r *Result) Speedup() float64 { return float64(r.Computed()) / float64(r.Makespan) }

// charge and spend make the trap that runs longer.
func (m *Machine) charge(why Cause, what Cost, n uint64) { m.spend(why, m.cfg.Costs[what]*n) }

func (m *Machine) spend(why Cause, ns uint64) {
	m.c.cost += ns
	m.Spent[why] += ns
}

// finish completes the Result.
func (m *Machine) finish() {
	if m.err != nil {
		m.Makespan = m.now
	}
	for i := range m.cpus { // what is under way
		if c := &m.cpus[i]; c.began >= m.Makespan {
			continue
		} else if c.halted {
			m.Spent[idling] += m.Makespan - c.began
		} else if c.cur != 0 {
			m.tasks[c.cur].used += m.Makespan - c.began
			m.Spent[computing] += m.Makespan - c.began
		}
	}
	for t := range m.tasks {
		if tk := &m.tasks[t]; tk.state != none {
			if tk.state == waiting && tk.ready < m.now {
				tk.waited += m.now - tk.ready
			}
			m.ended(sched.ID(t))
		}
	}
	m.Least = m.work.Least(m)
	if n, ok := m.work.(Noter); ok {
		m.Note = n.Note()
	}
	m.Jain = m.fair.index()
	m.Hash = m.trace.hash
}

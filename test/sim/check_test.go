package sim

import (
	"strings"
	"testing"

	"pdac/kernel/sched"
)

// faulty is a workload of two tasks that does one thing wrong.
type faulty struct {
	step func(m *Machine, t sched.ID)
}

func (w *faulty) Tasks() int { return 2 }

func (w *faulty) Start(m *Machine) { m.Spawn(0); m.SpawnPinned(0, m.CPUs()-1) }

func (w *faulty) Step(m *Machine, t sched.ID) { w.step(m, t) }

func (w *faulty) Arrive(*Machine) {}

func (w *faulty) Least(*Machine) uint64 { return 1 }

func TestFaultsAreFound(t *testing.T) {
	exit := func(m *Machine, _ sched.ID) { m.Exit() }
	for name, c := range map[string]struct {
		step func(m *Machine, t sched.ID)
		want string // "": nothing is wrong
	}{
		"none":          {exit, ""},
		"lost wakeup":   {func(m *Machine, _ sched.ID) { m.Park(0) }, "2 tasks alive"},
		"nothing done":  {func(*Machine, sched.ID) {}, "neither computes nor calls"},
		"two calls":     {func(m *Machine, _ sched.ID) { m.Yield(); m.Exit() }, "two calls"},
		"no task left":  {func(m *Machine, _ sched.ID) { m.Spawn(0) }, "no task left"},
		"never ends":    {func(m *Machine, t sched.ID) { m.Compute(t, 1_000_000) }, "nothing more before"},
		"runs twice":    {func(m *Machine, t sched.ID) { m.dispatch(t, false); m.Exit() }, "whose state is"},
		"other current": {func(m *Machine, t sched.ID) { m.Compute(t, 5); m.c.cur = 3 - t }, "current task"},
		"wrong CPU": {func(m *Machine, t sched.ID) {
			m.tasks[t].pinned = int32(1 - m.cpu)
			m.Compute(t, 5)
		}, "may run on CPU"},
		"lost task": {func(m *Machine, t sched.ID) {
			m.Park(0)
			m.tasks[t].state = waiting // as if a wakeup had come
			m.check(true)
		}, "is in state 4, expected 2"},
		"no timer": {func(m *Machine, _ sched.ID) { m.Park(m.Now() + 5); m.c.timer = never; m.c.kick = never }, "tasks alive"},
	} {
		cfg := Config{Topology: uniform(t, 2, 1), Costs: Committed(1), Check: true, Limit: 100_000_000}
		_, err := Run(cfg, &faulty{c.step})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
}

// TestIdleCPUIsFound: checkWait sees that a CPU was idle all the time that a task waited, and nothing else.
func TestIdleCPUIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		change func(m *Machine)
		bad    bool
	}{
		"idle":          {func(*Machine) {}, true},
		"idle late":     {func(m *Machine) { m.cpus[1].began = 600 }, false},
		"about to wake": {func(m *Machine) { m.cpus[1].kick = 1001 }, false},
		"may not run":   {func(m *Machine) { m.tasks[1].pinned = 0 }, false},
		"must run":      {func(m *Machine) { m.tasks[1].pinned = 1 }, true},
		"ready late":    {func(m *Machine) { m.tasks[1].ready = 600 }, false},
		"stalled":       {func(m *Machine) { m.cpus[0].thawed = 999 }, false},
		"owner stalled": {func(m *Machine) { m.tasks[1].queued, m.cpus[2].thawed = 2, 999 }, false},
	} {
		m := &Machine{cfg: Config{Check: true, Bound: 500}, cpus: make([]cpu, 3), tasks: make([]task, 2), now: 1000, idle: 1}
		m.cpus[1] = cpu{halted: true, kick: never, began: 100}
		m.tasks[1] = task{ready: 200, pinned: -1}
		m.on(0)
		c.change(m)
		m.checkWait(1, m.now-m.tasks[1].ready)
		if (m.err != nil) != c.bad {
			t.Errorf("%s: %v", name, m.err)
		}
	}
}

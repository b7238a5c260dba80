package sched

// CPUStats are the counters of one CPU since boot. They are read one by one: sums may be off by what happens meanwhile.
type CPUStats struct {
	Current     ID     // running task, 0 while idle
	Queued      uint32 // entries of READY tasks in its queue, and of some that were taken from its middle
	Busy, Idle  uint64 // ns
	Switches    uint64 // tasks put on the CPU
	Wakeups     uint64 // tasks that it woke, started or sent elsewhere
	Pulls       uint64 // times that it took a task from another's queue to run it
	Stolen      uint64 // tasks that it took from others' queues
	Looks       uint64 // at others' queues, for that
	Balanced    uint64 // tasks that it moved to others' queues
	Kicks       uint64 // IPIs that it sent
	Preemptions uint64 // tasks that had to make room for the next
}

// Stats returns the counters of a CPU. It may be called from any world.
func Stats(cpu int) CPUStats {
	c := on(cpu)
	s := CPUStats{
		Current:     c.cur.Load(),
		Queued:      c.load(),
		Idle:        c.idleTime.Load(),
		Switches:    c.switches.Load(),
		Wakeups:     c.wakeups.Load(),
		Pulls:       c.pulls.Load(),
		Stolen:      c.stolen.Load(),
		Looks:       c.looks.Load(),
		Balanced:    c.balanced.Load(),
		Kicks:       c.kicks.Load(),
		Preemptions: c.preemptions.Load(),
	}
	since := c.idleSince.Load()
	now := machine.Now()
	if since != 0 && now > since {
		s.Idle += now - since
	}
	if up := now - booted; up > s.Idle {
		s.Busy = up - s.Idle
	}
	return s
}

// TaskInfo describes a task for ps and the crash dump.
type TaskInfo struct {
	State      State
	Seq        uint64 // see Task.State
	CPU        int    // where it is queued, runs or last ran
	Created    uint64 // ns
	CPUTime    uint64 // ns, up to its last switch or tick
	WaitTime   uint64 // ns READY but not running
	Switches   uint64 // times put on a CPU
	Migrations uint64
	Class      Class
	Priority   uint8
	Tickets    uint32
	Quantum    uint64   // ns
	Home       int      // node, -1: none
	Name       [16]byte // NUL-padded
}

// Tasks returns a number above that of every task there is or was, for a walk by Info.
func Tasks() ID { return max(taskTable.used.Load(), 1) }

// Info describes task t, 0 < t < Tasks(); State is StateFree where there is none. It takes no lock: it works on a wedged machine.
func Info(t ID) TaskInfo {
	tk := Get(t)
	i := TaskInfo{
		CPU:        tk.CPU(),
		Created:    tk.created.Load(),
		CPUTime:    tk.cpuTime.Load(),
		WaitTime:   tk.waitTime.Load(),
		Switches:   tk.switches.Load(),
		Migrations: tk.migrations.Load(),
	}
	i.State, i.Seq = tk.State()
	i.Home, _ = tk.home()
	if w := tk.weight.Load(); w != 0 { // else the record was never used
		i.Class, i.Priority, i.Tickets = classOf(w)
		i.Quantum = tk.slice()
	}
	for n := range i.Name {
		i.Name[n] = byte(tk.name[n/8].Load() >> (n % 8 * 8))
	}
	return i
}

// SetName sets the name of a task; what is longer than 16 bytes is cut.
func SetName(t ID, name []byte) {
	var w [2]uint64
	for i := range min(len(name), 16) {
		w[i/8] |= uint64(name[i]) << (i % 8 * 8)
	}
	Get(t).name[0].Store(w[0])
	Get(t).name[1].Store(w[1])
}

// CPUTime returns the ns that the current task of the calling CPU has run.
func CPUTime(cpu int) uint64 {
	c := on(cpu)
	t := c.cur.Load()
	if t == 0 {
		return 0
	}
	return Get(t).cpuTime.Load() + machine.Now() - c.since
}

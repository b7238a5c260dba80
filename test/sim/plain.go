package sim

import "pdac/kernel/sched"

// batch is tasks that compute once, of exponentially distributed length, all made on CPU 0: they spread by being offered and
// stolen.
type batch struct {
	n              int
	length         []uint64 // ns
	total, longest uint64
}

func newBatch(n int) *batch {
	n = min(n, sched.MaxTasks-1)
	return &batch{n: n, length: make([]uint64, n+1)}
}

func (w *batch) Tasks() int { return w.n }

func (w *batch) Start(m *Machine) {
	for range w.n {
		t := m.Spawn(512)
		ns := 1 + uint64(m.Rand().ExpFloat64()*1e6)
		w.length[t] = ns
		w.total += ns
		w.longest = max(w.longest, ns)
	}
}

func (w *batch) Step(m *Machine, t sched.ID) {
	if ns := w.length[t]; ns != 0 {
		w.length[t] = 0
		m.Compute(t, ns)
		return
	}
	m.Exit()
}

func (w *batch) Arrive(*Machine) {}

func (w *batch) Least(m *Machine) uint64 { return max(w.total/uint64(m.CPUs()), w.longest) }

// crowd is more tasks than CPUs, dealt out evenly, each with the same to compute: what they share is the quantum.
type crowd struct {
	n    int
	each uint64 // ns
	ran  []bool
}

func newCrowd(n int, each uint64) *crowd {
	n = min(n, sched.MaxTasks-1)
	return &crowd{n: n, each: each, ran: make([]bool, n+1)}
}

func (w *crowd) Tasks() int { return w.n }

func (w *crowd) Start(m *Machine) {
	for i := range w.n {
		m.On(i % m.CPUs())
		m.Spawn(512)
	}
}

func (w *crowd) Step(m *Machine, t sched.ID) {
	if w.ran[t] {
		m.Exit()
		return
	}
	w.ran[t] = true
	m.Compute(t, w.each)
}

func (w *crowd) Arrive(*Machine) {}

func (w *crowd) Least(m *Machine) uint64 {
	return max(uint64(w.n)*w.each/uint64(m.CPUs()), w.each)
}

// sleepers are tasks that compute and sleep in turn, all made on node 0, where each wakes unless a CPU elsewhere is idle.
type sleepers struct {
	n     int
	turns []int32 // left
	awake []bool
	rest  int32
}

const (
	turn = 50_000 // ns
	nap  = 20_000
)

func newSleepers(n, turns int) *sleepers {
	n = min(n, sched.MaxTasks-1)
	return &sleepers{n: n, turns: make([]int32, n+1), awake: make([]bool, n+1), rest: int32(turns)}
}

func (w *sleepers) Tasks() int { return w.n }

func (w *sleepers) Start(m *Machine) {
	var hot []int
	for i := range m.CPUs() {
		if m.Node(i) == 0 {
			hot = append(hot, i)
		}
	}
	for i := range w.n {
		m.On(hot[i%len(hot)])
		w.turns[m.Spawn(512)] = w.rest
	}
}

func (w *sleepers) Step(m *Machine, t sched.ID) {
	switch {
	case !w.awake[t]:
		w.awake[t] = true
		m.Compute(t, turn)
	case w.turns[t] == 1:
		m.Exit()
	default:
		w.turns[t]--
		w.awake[t] = false
		m.Park(m.Now() + nap)
	}
}

func (w *sleepers) Arrive(*Machine) {}

func (w *sleepers) Least(m *Machine) uint64 {
	return max(uint64(w.n)*uint64(w.rest)*turn/uint64(m.CPUs()), uint64(w.rest)*(turn+nap)-nap)
}

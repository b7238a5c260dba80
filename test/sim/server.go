package sim

import "pdac/kernel/sched"

// server is a pool of workers and requests that arrive in bursts, at a CPU chosen at random, whose interrupt hands each to
// a worker that sleeps, the last to fall asleep first, or leaves it to the next that is done. Bursts come at random, as a
// Poisson process; their length and the requests' are exponentially distributed.
type server struct {
	workers, left int
	service       float64 // ns a request, on average
	load          float64
	gap           float64 // ns between bursts, on average
	next          uint64  // burst
	at            int     // its CPU
	backlog       int
	sleepers      []sched.ID
	given         []bool // woken with a request
	served, last  uint64 // requests; when the last burst came
	total         float64
}

const burst = 16 // requests, on average

func newServer(workers, requests int, service, load float64) *server {
	return &server{workers: workers, left: requests, service: service, load: load, given: make([]bool, workers+1)}
}

func (w *server) Tasks() int { return w.workers }

func (w *server) Start(m *Machine) {
	w.gap = w.service * burst / w.load / float64(m.CPUs())
	for i := range w.workers {
		m.On(i % m.CPUs())
		m.Spawn(64) // 4 KiB of stack and state
	}
	w.next = 1_000_000 // when all have fallen asleep
	w.schedule(m)
}

func (w *server) schedule(m *Machine) {
	w.at = m.Rand().IntN(m.CPUs())
	m.Arrival(w.at, w.next)
}

func (w *server) Arrive(m *Machine) {
	w.last = m.Now()
	n := min(1+int(m.Rand().ExpFloat64()*(burst-1)+0.5), w.left)
	w.left -= n
	for range n {
		if k := len(w.sleepers); k > 0 {
			t := w.sleepers[k-1]
			w.sleepers = w.sleepers[:k-1]
			w.given[t] = true
			m.Wake(t)
		} else {
			w.backlog++
		}
	}
	if w.left > 0 {
		w.next = m.Now() + 1 + uint64(m.Rand().ExpFloat64()*w.gap)
		w.schedule(m)
		return
	}
	for _, t := range w.sleepers { // they find that it is over
		m.Wake(t)
	}
	w.sleepers = w.sleepers[:0]
}

func (w *server) Step(m *Machine, t sched.ID) {
	switch {
	case w.given[t]:
		w.given[t] = false
		w.serve(m, t)
	case w.backlog > 0:
		w.backlog--
		w.serve(m, t)
	case w.left == 0:
		m.Exit()
	default:
		w.sleepers = append(w.sleepers, t)
		m.Park(0)
	}
}

func (w *server) serve(m *Machine, t sched.ID) {
	ns := 1 + uint64(m.Rand().ExpFloat64()*w.service)
	w.served++
	w.total += float64(ns)
	m.Compute(t, ns)
}

func (w *server) Least(m *Machine) uint64 {
	return max(w.last, uint64(w.total)/uint64(m.CPUs()))
}

package sim

import (
	"fmt"

	"pdac/kernel/sched"
)

// server is a pool of workers and requests that arrive in bursts at the CPUs' network queues, all CPUs' or only node 0's. The
// interrupt hands each request to a worker that sleeps, the last to fall asleep first, or leaves it to the next that is
// done. Bursts come at random at each queue, as a Poisson process; their length and the requests' are exponentially
// distributed.
type server struct {
	workers, left int
	load          float64     // of all CPUs
	hot           bool        // only node 0 has queues
	class         sched.Class // the workers'
	rivals        int         // tasks of the normal class that compute until the last request has come
	gap           float64     // ns between a queue's bursts, on average
	next          []uint64    // when a CPU's next burst is due
	backlog       []uint64    // requests that no worker has: when they came
	taken         int         // of the backlog
	sleepers      []sched.ID  // idle workers
	request       []uint64    // of a worker: when it came, 0: it has none
	busy          []bool      // computing it
	response      Histogram   // from arrival to end
	last          uint64      // when the last burst came
	total         uint64      // ns of all requests
}

const (
	burst   = 16     // requests, on average
	service = 20_000 // ns a request, on average
)

func newServer(workers, requests int, hot bool) *server {
	workers = min(workers, sched.MaxTasks-1)
	return &server{workers: workers, left: requests, load: 0.7, hot: hot, request: make([]uint64, workers+1), busy: make([]bool, workers+1)}
}

// newMixed is a server of the latency class at 30% load, over two tasks a CPU that want all that they can get.
func newMixed(cpus, requests int) *server {
	w := newServer(4*cpus, requests, false)
	w.load, w.class, w.rivals = 0.3, sched.ClassLatency, 2*cpus
	return w
}

func (w *server) Tasks() int { return w.workers + w.rivals }

func (w *server) Start(m *Machine) {
	for i := range w.workers {
		m.On(i % m.CPUs())
		m.SpawnAs(64, -1, func(t sched.ID) { sched.SetClass(m.CPU(), t, w.class) }) // 64: 4 KiB of stack and state
	}
	for i := range w.rivals {
		m.On(i % m.CPUs())
		m.Spawn(512)
	}
	w.next = make([]uint64, m.CPUs())
	var queues []int
	for i := range w.next {
		if !w.hot || m.Node(i) == 0 {
			queues = append(queues, i)
		}
	}
	w.gap = service * burst / w.load * float64(len(queues)) / float64(m.CPUs())
	for _, i := range queues {
		w.next[i] = 1_000_000 // when all have fallen asleep
		w.schedule(m, i)
	}
}

func (w *server) schedule(m *Machine, cpu int) {
	w.next[cpu] += uint64(m.Rand().ExpFloat64() * w.gap)
	m.Arrival(cpu, w.next[cpu])
}

func (w *server) Arrive(m *Machine) {
	if w.left == 0 {
		return
	}
	w.last = m.Now()
	n := min(1+int(m.Rand().ExpFloat64()*(burst-1)+0.5), w.left)
	w.left -= n
	for range n {
		if k := len(w.sleepers); k > 0 {
			t := w.sleepers[k-1]
			w.sleepers = w.sleepers[:k-1]
			w.request[t] = m.Now()
			m.Wake(t)
		} else {
			w.backlog = append(w.backlog, m.Now())
		}
	}
	if w.left > 0 {
		w.schedule(m, m.CPU())
		return
	}
	for _, t := range w.sleepers { // they find that it is over
		m.Wake(t)
	}
	w.sleepers = w.sleepers[:0]
}

func (w *server) Step(m *Machine, t sched.ID) {
	if int(t) > w.workers {
		w.rival(m, t)
		return
	}
	if w.busy[t] {
		w.response.add(m.Now() - w.request[t])
		w.busy[t], w.request[t] = false, 0
	}
	if w.request[t] == 0 && w.taken < len(w.backlog) {
		w.request[t] = w.backlog[w.taken]
		w.taken++
	}
	switch {
	case w.request[t] != 0:
		ns := 1 + uint64(m.Rand().ExpFloat64()*service)
		w.busy[t] = true
		w.total += ns
		m.Compute(t, ns)
	case w.left == 0:
		m.Exit()
	default:
		w.sleepers = append(w.sleepers, t)
		m.Park(0)
	}
}

// rival is a Step of a task that never waits: 1 ms, while there is a request.
func (w *server) rival(m *Machine, t sched.ID) {
	if w.left == 0 {
		m.Exit()
		return
	}
	w.total += 1_000_000
	m.Compute(t, 1_000_000)
}

func (w *server) Least(m *Machine) uint64 { return max(w.last, w.total/uint64(m.CPUs())) }

func (w *server) Note() string {
	return fmt.Sprintf("a request's response: p50 %.1f us, p99 %.1f us", us(w.response.Quantile(0.5)), us(w.response.Quantile(0.99)))
}

package sim

import "pdac/kernel/sched"

// pairs are producers and consumers, each pair with a bounded buffer. Who finds it full or empty sleeps, and the other wakes
// it: one system call looks and sleeps, as FUTEX_WAIT does.
type pairs struct {
	n, items int
	pair     []pair
	of       []int32 // pair of a task, from 1: its producer; negative: its consumer
}

type pair struct {
	producer, consumer sched.ID
	made, used, held   int
	making, using      bool
	asleep             sched.ID // which of the two, 0: none
}

const (
	item   = 5_000 // ns to make it, and to use it
	buffer = 16
)

func newPairs(n, items int) *pairs {
	return &pairs{n: n, items: items, pair: make([]pair, n), of: make([]int32, 2*n+1)}
}

func (w *pairs) Tasks() int { return 2 * w.n }

func (w *pairs) Start(m *Machine) {
	for i := range w.pair {
		p := &w.pair[i]
		m.On(i % m.CPUs())
		p.producer, p.consumer = m.Spawn(64), m.Spawn(64)
		w.of[p.producer], w.of[p.consumer] = int32(i+1), int32(-i-1)
	}
}

func (w *pairs) Step(m *Machine, t sched.ID) {
	if i := w.of[t]; i > 0 {
		w.produce(m, t, &w.pair[i-1])
	} else {
		w.consume(m, t, &w.pair[-i-1])
	}
}

func (w *pairs) produce(m *Machine, t sched.ID, p *pair) {
	switch {
	case p.making && p.held == buffer:
		p.asleep = t
		m.Park(0)
	case p.making:
		p.making = false
		p.held++
		p.made++
		if p.asleep == p.consumer {
			p.asleep = 0
			m.Wake(p.consumer)
			return
		}
		w.produce(m, t, p)
	case p.made == w.items:
		m.Exit()
	default:
		p.making = true
		m.Compute(t, item)
	}
}

func (w *pairs) consume(m *Machine, t sched.ID, p *pair) {
	switch {
	case p.using:
		p.using = false
		p.used++
		w.consume(m, t, p)
	case p.used == w.items:
		m.Exit()
	case p.held == 0:
		p.asleep = t
		m.Park(0)
	default:
		p.held--
		p.using = true
		m.Compute(t, item)
		if p.asleep == p.producer {
			p.asleep = 0
			m.Wake(p.producer)
		}
	}
}

func (w *pairs) Arrive(*Machine) {}

func (w *pairs) Least(m *Machine) uint64 {
	return max(uint64(2*w.n*w.items)*item/uint64(m.CPUs()), uint64(w.items+1)*item)
}

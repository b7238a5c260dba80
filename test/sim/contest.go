package sim

import (
	"fmt"
	"math"
	"strings"

	"pdac/kernel/sched"
)

// contest is tasks that never wait, eight pinned to each CPU, for a number of the shortest quanta: under Lottery with tickets at
// random, or under RoundRobin with the eight priorities. What they get is by the policy alone. Or tickets are equal, and
// every second task is brief: it sleeps for a moment after a fifth of its quantum, for which Lottery is to compensate it. (Who sleeps
// doesn't run twice in a row, so that no compensation helps one that has half of all tickets.)
type contest struct {
	lottery bool
	brief   bool
	draws   int // quanta a CPU
	tasks   []sched.ID
	tickets []float64
	cpus    int
	share   []float64 // of a CPU, by task
	slept   []bool
}

const contestants = 8 // a CPU

func newContest(lottery bool, cpus, draws int) *contest {
	return &contest{lottery: lottery, draws: draws, cpus: cpus, slept: make([]bool, contestants*cpus+1)}
}

func (w *contest) Tasks() int { return contestants * w.cpus }

func (w *contest) Start(m *Machine) {
	sched.SetClassQuantum(sched.ClassNormal, sched.MinQuantum)
	if w.lottery {
		sched.SetPolicy(sched.ClassNormal, sched.Lottery)
	}
	for cpu := range w.cpus {
		m.On(cpu)
		for i := range contestants {
			tickets := uint32(0)
			t := m.SpawnAs(0, cpu, func(t sched.ID) {
				if w.lottery {
					tickets = 100
					if !w.brief {
						tickets = 1 + m.Rand().Uint32N(1000)
					}
					sched.SetTickets(t, tickets)
				} else {
					sched.SetPriority(t, uint8(i))
				}
			})
			w.tasks = append(w.tasks, t)
			w.tickets = append(w.tickets, float64(tickets))
		}
	}
	m.Arrival(0, uint64(w.draws)*sched.MinQuantum)
}

func (w *contest) Step(m *Machine, t sched.ID) {
	switch {
	case !w.brief || t%2 == 0:
		m.Compute(t, uint64(w.draws)*sched.MinQuantum)
	case w.slept[t]:
		w.slept[t] = false
		m.Compute(t, sched.MinQuantum/5)
	default:
		w.slept[t] = true
		m.Park(m.Now() + 1)
	}
}

func (w *contest) Arrive(m *Machine) { m.Stop() }

func (w *contest) Least(m *Machine) uint64 {
	for first := 0; first < len(w.tasks); first += contestants {
		var sum float64
		for _, t := range w.tasks[first : first+contestants] {
			sum += float64(m.Used(t))
		}
		for _, t := range w.tasks[first : first+contestants] {
			w.share = append(w.share, float64(m.Used(t))/sum)
		}
	}
	return uint64(w.draws) * sched.MinQuantum
}

// off returns how far the share of a task is from that of its tickets at most, in percentage points.
func (w *contest) off() (worst float64) {
	for first := 0; first < len(w.share); first += contestants {
		var sum float64
		for _, n := range w.tickets[first : first+contestants] {
			sum += n
		}
		for i := first; i < first+contestants; i++ {
			worst = max(worst, 100*math.Abs(w.share[i]-w.tickets[i]/sum))
		}
	}
	return worst
}

func (w *contest) Note() string {
	if w.lottery {
		return fmt.Sprintf("shares are within %.2f percentage points of the tickets after %d draws", w.off(), w.draws)
	}
	var b strings.Builder
	b.WriteString("shares of CPU 0 by priority:")
	for _, s := range w.share[:contestants] {
		fmt.Fprintf(&b, " %.1f%%", 100*s)
	}
	return b.String()
}

package dag

import "fmt"

// WorkerState is what a worker does.
type WorkerState int

const (
	Busy      WorkerState = iota // calls functions
	Searching                    // looks for work
	Parked                       // sleeps until there is some
	Ended
)

func (s WorkerState) String() string {
	if s < 0 || s > Ended {
		return fmt.Sprintf("WorkerState(%d)", int(s))
	}
	return [...]string{"busy", "searching", "parked", "ended"}[s]
}

// Stats is what an executor has done. The numbers are not from one instant.
type Stats struct {
	Strategy Strategy
	InFlight int // runs under way, at most
	Active   int // runs under way

	Succeeded, Failed, Cancelled uint64 // runs that are over

	Functions uint64 // that were called
	Passed    uint64 // that were not, since their run had failed

	Steals  []Steals // by strategy and distance, those that were tried
	Workers []WorkerStats
}

// Steals counts attempts of one strategy at victims in one distance.
type Steals struct {
	Strategy    Strategy
	Distance    int
	Tries, Hits uint64
}

// WorkerStats is a worker's part.
type WorkerStats struct {
	Node      int
	State     WorkerState
	Functions uint64
	Parks     uint64 // times it slept
	Offered   int    // steps that others may take from it
}

// Closed reports whether Close was called.
func (e *Executor) Closed() bool { return e.closed.Load() }

// Stats returns what the executor has done.
func (e *Executor) Stats() Stats {
	s := Stats{
		Strategy: Strategy(e.strategy.Load()), InFlight: len(e.runs), Active: int(e.active.Load()),
		Workers: make([]WorkerStats, 0, len(e.workers)),
	}
	for _, w := range e.workers {
		s.Succeeded += w.succeeded.Load()
		s.Failed += w.failed.Load()
		s.Cancelled += w.cancelled.Load()
		s.Passed += w.passed.Load()
		f := w.functions.Load()
		s.Functions += f
		s.Workers = append(s.Workers, WorkerStats{
			w.node, WorkerState(w.state.Load()), f, w.parks.Load(), w.open.Offered() + w.bound.Offered(),
		})
	}
	for strategy := range strategies {
		for class, distance := range e.distances {
			sum := Steals{Strategy: strategy, Distance: distance}
			for _, w := range e.workers {
				sum.Tries += w.steals[strategy][class].tries.Load()
				sum.Hits += w.steals[strategy][class].hits.Load()
			}
			if sum.Tries > 0 {
				s.Steals = append(s.Steals, sum)
			}
		}
	}
	return s
}

package sched

import "sync/atomic"

// stealCount counts a CPU's attempts at queues of one distance by one strategy. The CPU writes, anyone reads.
type stealCount struct {
	tried, won, tasks atomic.Uint64
}

// count raises a counter that only the caller writes. It inlines.
func count(n *atomic.Uint64, by uint64) { n.Store(n.Load() + by) }

// StealCount counts how idle CPUs looked for tasks in others' queues, since boot.
type StealCount struct {
	Strategy Strategy
	Distance uint8  // of thief and victim, ACPI's: 10 within a node
	Tried    uint64 // looks at a queue that had tasks to give
	Won      uint64 // of these, with a task
	Tasks    uint64 // taken
}

// StealStats calls f for each strategy and distance that was tried. It may be called from any world.
func StealStats(f func(StealCount)) {
	for s := range Strategies {
		for d := range nDistances {
			n := StealCount{Strategy: s, Distance: distances[d]}
			for i := range cpus {
				k := &on(i).steals[s][d]
				n.Tasks += k.tasks.Load() // tried last: no more are won than were tried
				n.Won += k.won.Load()
				n.Tried += k.tried.Load()
			}
			if n.Tried != 0 {
				f(n)
			}
		}
	}
}

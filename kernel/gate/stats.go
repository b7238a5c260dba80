package gate

import (
	"pdac/kernel/cap"
	"pdac/kernel/rcu"
)

// Stats are totals since boot.
type Stats struct {
	Calls        []CallStats // those that were made
	Capabilities cap.Stats
	RCU          rcu.Stats
}

// CallStats counts a gated call.
type CallStats struct {
	Name    string
	Calls   uint64 // all
	Refused uint64 // of these by the capability; of family cap all that failed
}

// StatsRead returns statistics. id has Read.
func StatsRead(id ID) (Stats, error) {
	t, _, err := enter(statsRead, id)
	if err != nil {
		return Stats{}, err
	}
	defer t.Release()
	return readStats(), nil
}

func readStats() Stats {
	s := Stats{Capabilities: core.table.Stats(), RCU: core.rcu.Stats()}
	for c := range calls {
		admitted, refused := c.count()
		if n := admitted + refused; n != 0 {
			s.Calls = append(s.Calls, CallStats{Name: callTable[c].name, Calls: n, Refused: refused})
		}
	}
	return s
}

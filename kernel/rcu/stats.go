package rcu

import (
	"math/bits"
	"sync/atomic"
)

// Buckets is the number of counts in a histogram of latencies. Count 0 is for grace periods that had
// nobody to wait for, or for less than some PAUSEs, count i for 2^(i-1) ns to less than 2^i, the last one
// (4.6 minutes) also for all beyond.
const Buckets = 40

// Stats are totals since New, unless they say otherwise.
type Stats struct {
	GracePeriods uint64
	Latency      [Buckets]uint64 // grace periods by their length
	Stalls       uint64          // grace periods that took Config.StallAfter or longer
	Readers      uint64          // sections under way
	Pending      uint64          // callbacks that have not run to the end
	Ran          uint64          // callbacks that have
}

// Stats sums up. It is not a snapshot: the parts are of slightly different times.
func (d *Domain) Stats() Stats {
	s := Stats{
		GracePeriods: d.periods.rounds(),
		Stalls:       d.stalls.Load(),
		Pending:      uint64(d.pending.Load()),
		Ran:          d.ran.Load(),
	}
	if d.tracker != nil {
		d.tracker.reap(d)
	}
	for i := range d.latency {
		s.Latency[i] = d.latency[i].Load()
	}
	for i := range d.cells {
		c := &d.cells[i]
		s.GracePeriods += c.glances.Load()
		s.Latency[0] += c.glances.Load()
		s.Readers += atomic.LoadUint64(&c.readers[0]) + atomic.LoadUint64(&c.readers[1])
	}
	return s
}

// took returns how long a grace period was. One that met nobody took 0 ns: reading the clock would
// take longer.
func (d *Domain) took(w *waiting) uint64 {
	if !w.waited {
		return 0
	}
	return d.now() - w.start
}

// record counts a grace period of that many ns.
func (d *Domain) record(ns uint64) {
	d.latency[min(bits.Len64(ns), Buckets-1)].Add(1)
}

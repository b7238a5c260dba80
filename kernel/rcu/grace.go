package rcu

import "sync/atomic"

// Synchronize returns after every section that was under way at the call has ended. Callers share
// grace periods, and none waits for more than two.
//
// It must not be called in a section of the same Domain: that would wait for itself. A section that
// Track registered is found: it panics.
func (d *Domain) Synchronize() {
	d.outside("Synchronize")
	p := d.pace
	for at := d.periods.after(); !d.periods.reached(at); {
		if d.periods.begin() {
			d.period()
			d.periods.end()
			continue
		}
		p.wait()
	}
}

// period waits a grace period: domain.go argues that it is one.
func (d *Domain) period() {
	var w waiting
	w.pace, w.report = d.pace, d.stallNs
	if d.tracker != nil {
		d.tracker.reap(d)
	}
	p := d.phase.Load()
	d.drain(&w, p^1)
	d.phase.Store(p ^ 1)
	if len(d.lanes) > 0 {
		d.turn(p ^ 1)
	}
	d.drain(&w, p)
	for cpu := range d.traps {
		s := &d.traps[cpu].Section
		for m := s.Mark(); !s.Left(m); {
			d.wait(&w, Stall{CPU: cpu, Trap: true})
		}
	}
	d.record(d.took(&w))
}

// drain returns when every counter of a phase has been zero once.
func (d *Domain) drain(w *waiting, phase uint32) {
	for cpu := range d.cells {
		for n := &d.cells[cpu].readers[phase&1]; atomic.LoadUint64(n) != 0; { // pairs with the adds of readers
			d.wait(w, Stall{CPU: cpu, phase: phase})
		}
	}
}

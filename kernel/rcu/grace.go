package rcu

import (
	"sync/atomic"

	"pdac/asm"
)

// Synchronize returns after every section that was under way at the call has ended. Who finds none, or
// only some that end at once, waits for nobody and writes nothing that others read. The others share
// grace periods, and none waits for more than two.
//
// It must not be called in a section of the same Domain: that would wait for itself. A section that
// Track registered is found: it panics.
func (d *Domain) Synchronize() {
	d.outside("Synchronize")
	if !d.glance() {
		d.share()
	}
}

// glances is how many PAUSEs in all a caller spends on sections that are about to end.
const glances = 16

// glance is a grace period that is over soon, or none: false.
func (d *Domain) glance() bool {
	n := &d.cells[d.cpu()].glances
	n.Add(1) // before the looks, so that it is their barrier too
	if d.empty(min(glances, d.pace.spins)) {
		return true
	}
	n.Add(^uint64(0))
	return false
}

// empty reports whether it has seen each CPU without a section once, waiting for that many PAUSEs in all.
func (d *Domain) empty(spins int) bool {
	for cpu := range d.cells {
		for c := &d.cells[cpu]; atomic.LoadUint64(&c.readers[0])|atomic.LoadUint64(&c.readers[1]) != 0; spins-- { // pairs with the adds of readers
			if spins == 0 {
				return false
			}
			asm.Pause()
		}
	}
	for cpu := range d.traps {
		s := &d.traps[cpu].Section
		for m := s.Mark(); !s.Left(m); spins-- {
			if spins == 0 {
				return false
			}
			asm.Pause()
		}
	}
	return true
}

// share waits for a grace period that began after the call, with all who do at the same time: one of
// them works.
func (d *Domain) share() {
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

package rcu

import "time"

// Stall describes a section that holds a grace period up: of those in its cell, the oldest that is
// registered.
type Stall struct {
	CPU   int           // where the section was begun
	Start uint64        // time of Config.Now, ns, when it began; if not registered, when the grace period first waited, which is later
	PC    uintptr       // return address in the function that Track was told to name; 0: not registered
	Age   time.Duration // since Start
	Trap  bool          // it is trap code: Config.Traps

	phase uint32
}

// waiting is one grace period's wait.
type waiting struct {
	pace   pace
	waited bool
	start  uint64 // ns, of the first wait
	report uint64 // age of the grace period in ns at which it is next called stalled
}

// wait waits a little for who is described by s, and reports a stall when it is time.
func (d *Domain) wait(w *waiting, s Stall) {
	if !w.waited {
		w.waited, w.start = true, d.now()
	}
	sleeps := w.pace.wait()
	if d.tracker != nil {
		d.tracker.reap(d)
	}
	if !sleeps {
		return
	}
	now := d.now()
	age := now - w.start
	if age < w.report {
		return
	}
	if w.report == d.stallNs {
		d.stalls.Add(1)
	}
	for w.report <= age {
		w.report *= 2
	}
	if d.onStall == nil {
		return
	}
	s.Start = w.start
	if d.tracker != nil && !s.Trap {
		d.tracker.oldest(&s)
	}
	s.Age = time.Duration(now - s.Start)
	d.onStall(s)
}

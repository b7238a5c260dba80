package rcu

import (
	"runtime"
	"sync/atomic"

	"pdac/asm"
)

// The table of the readers that Track registers, for reports and to find two mistakes.
//
// It is a step of its own for two reasons. ReadLock and a call of anything do not fit into what the
// compiler inlines; and it is seldom ReadLock's caller that a report should name, but who called the
// gate that calls it.
//
// Words and writers: a record's state goes 0 (free) -> claimed -> a token -> 0. Who moved it from 0
// owns the record until it moves it back, and alone writes the rest. Others read state before and
// after the rest; a record that was freed and taken again by an equal token between the two gives a
// report of mixed readers, and nothing else.
//
// A section of HoldTracked ends by counting down, as others do: in a word of its record, lent. Who waits, or
// looks for a record, takes out those that have ended and ends their sections: LENT -> ENDED is the
// reader's, ENDED -> NOT LENT, by CAS, that of the one who then takes the record out. Nobody takes it out
// before, and it is lent again only afterwards, so no section that lasts is taken for one that ended.
//
// Progress: lock-free. With more than maxTracked readers the rest goes unregistered.

const (
	maxTracked = 1 << 10
	claimed    = 1 // no token with a record has only this bit

	notLent = 0
	ended   = 2
	lent    = 3 // Held.Release makes it one less
)

// tracker is the table of one Domain.
type tracker [maxTracked]record

// record is a reader.
type record struct {
	state     atomic.Uint64
	lent      uint64        // atomic
	start     atomic.Uint64 // Config.Now
	pc        atomic.Uintptr
	goroutine atomic.Uintptr
}

// Track registers the section t, which its caller has just begun: use what it returns in place of
// t. The report of a stall names the function that called Track, or the one skip callers above it.
// Without Config.Track it does nothing. It is for sections that may last; others that hold a
// grace period up are reported by CPU and time only.
//
//	token := d.Track(d.ReadLock(cpu), 0)
func (d *Domain) Track(t Token, skip int) Token {
	if d.tracker == nil {
		return t
	}
	return d.register(t, skip)
}

// register enters t in the table and returns it with the number of its record.
func (d *Domain) register(t Token, skip int) Token {
	r := d.tracker
	const share = 61 // CPUs begin their search apart
	for i := range r {
		slot := (t.cpu()*share + i) % maxTracked
		e := &r[slot]
		if e.reap(d); e.state.Load() != 0 || !e.state.CompareAndSwap(0, claimed) {
			continue
		}
		var pc [1]uintptr
		runtime.Callers(3+skip, pc[:]) // Callers, register and Track left out
		e.pc.Store(pc[0])
		e.start.Store(d.now())
		e.goroutine.Store(asm.Goroutine())
		t |= Token(slot+1) << 32
		e.state.Store(uint64(t))
		return t
	}
	return t
}

// remove takes t out. It panics if t is not there.
func (r *tracker) remove(t Token) {
	if !r[t>>32-1].state.CompareAndSwap(uint64(t), 0) {
		panic("rcu: a token given back twice")
	}
}

// lend returns the word by which the section of a record ends.
func (e *record) lend() *uint64 {
	atomic.StoreUint64(&e.lent, lent)
	return &e.lent
}

// reap ends the sections of HoldTracked that have been released.
func (r *tracker) reap(d *Domain) {
	for i := range r {
		r[i].reap(d)
	}
}

func (e *record) reap(d *Domain) {
	switch n := atomic.LoadUint64(&e.lent); {
	case n == ended && atomic.CompareAndSwapUint64(&e.lent, ended, notLent):
		d.ReadUnlock(Token(e.state.Load()))
	case n == ended-1, n > lent:
		panic("rcu: a section ended twice")
	}
}

// oldest completes s by the record of the oldest section in the cell that s names, if there is one.
func (r *tracker) oldest(s *Stall) {
	found := false
	for i := range r {
		e := &r[i]
		v := e.state.Load()
		if t := Token(v); t>>32 == 0 || t.cpu() != s.CPU || t.phase() != s.phase {
			continue
		}
		start, pc := e.start.Load(), e.pc.Load()
		if e.state.Load() == v && (!found || start < s.Start) {
			found = true
			s.Start, s.PC = start, pc
		}
	}
}

// outside panics if the caller, about to wait for all readers, is itself one that is registered. It
// goes by who called Track: a token handed to another goroutine still counts as its taker's.
func (d *Domain) outside(call string) {
	if d.tracker == nil {
		return
	}
	d.tracker.reap(d)
	self := asm.Goroutine()
	for i := range d.tracker {
		e := &d.tracker[i]
		if e.state.Load() > claimed && e.goroutine.Load() == self {
			where := runtime.FuncForPC(e.pc.Load() - 1)
			panic("rcu: " + call + " in a read section, begun in " + where.Name())
		}
	}
}

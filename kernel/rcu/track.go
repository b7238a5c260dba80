package rcu

import (
	"runtime"
	"sync/atomic"
)

// Config.Track: a table of the readers there are, for reports and to find two mistakes.
//
// Words and writers: a record's state goes 0 (free) -> claimed -> a token -> 0. Who moved it from 0
// owns the record until it moves it back, and alone writes the rest. Others read state before and
// after the rest; a record that was freed and taken again by an equal token between the two gives a
// report of mixed readers, and nothing else.
//
// Progress: lock-free. With more than maxTracked readers the rest goes untracked.

const (
	maxTracked = 1 << 10
	claimed    = 1 // no token with a record has only this bit
)

// tracker is the table of one Domain.
type tracker [maxTracked]record

// record is a reader.
type record struct {
	state     atomic.Uint64
	start     atomic.Uint64 // Config.Now
	pc        atomic.Uintptr
	goroutine atomic.Uintptr
}

// goroutine returns the address of the calling goroutine's descriptor, its g: a name that no other
// goroutine has while this one lives.
func goroutine() uintptr

// register enters the section t with the return address of ReadLock, and returns t with the number
// of its record.
func (r *tracker) register(t Token, now uint64) Token {
	const share = 61 // CPUs begin their search apart
	for i := range r {
		slot := (t.cpu()*share + i) % maxTracked
		e := &r[slot]
		if e.state.Load() != 0 || !e.state.CompareAndSwap(0, claimed) {
			continue
		}
		var pc [1]uintptr
		runtime.Callers(4, pc[:]) // this, enter and ReadLock left out
		e.pc.Store(pc[0])
		e.start.Store(now)
		e.goroutine.Store(goroutine())
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

// outside panics if the caller, about to wait for all readers, is one. Only a tracker can tell. It
// goes by who took the token: one handed to another goroutine counts as its taker's.
func (d *Domain) outside(call string) {
	if d.tracker == nil {
		return
	}
	self := goroutine()
	for i := range d.tracker {
		e := &d.tracker[i]
		if e.state.Load() > claimed && e.goroutine.Load() == self {
			where := runtime.FuncForPC(e.pc.Load() - 1)
			panic("rcu: " + call + " in a read section, begun in " + where.Name())
		}
	}
}

package gate

import (
	"sync/atomic"

	"pdac/kernel/cap"
	"pdac/kernel/rcu"
)

// The way in and out. A call is admitted by its capability inside a read section, and stays in it
// for as long as it relies on that: so a Revoke, which waits for the sections under way, has waited
// for all that the capability admitted.
//
// Each call leaves what it entered, on every way: those that touch the caller's memory or run
// foreign code by defer, since they may panic; the others, which can't, without.

// section is the read section of an admitted call.
type section struct{ held rcu.Held }

// leave ends the section.
func (s section) leave() {
	if core.track {
		s.leaveTracked()
		return
	}
	s.held.Release()
}

//go:noinline
func (s section) leaveTracked() { core.rcu.ReleaseTracked(s.held) }

// lane is what calls touch of one CPU: its sections, and counts of calls.
type lane struct {
	rcu               rcu.Lane
	guard             atomic.Pointer[guard] // of a call that ended
	admitted, refused [slots]atomic.Uint64
	_                 [128 - 24]byte // keeps CPUs off each other's lines, which the prefetcher fetches in pairs
}

// enter admits a call: the caller is then in the section, and leaves it. After an error it is in
// none.
func enter(c call, id ID) (section, cap.Object, error) {
	return admit(c, &callTable[c], id)
}

// admit is enter with the call's entry, whose address is a constant to most callers. It is nosplit
// to save the two instructions: its only callees are the CPU's number and enterSlow.
//
//go:nosplit
func admit(c call, e *entry, id ID) (section, cap.Object, error) {
	cpu := core.cpu()
	if uint(cpu) >= uint(len(core.quick)) || core.pending.Load() != 0 {
		return enterSlow(c, id)
	}
	l := &core.quick[cpu]
	s := section{l.rcu.Hold()}
	o := core.table.Grants(id, e.typ, e.need)
	if o == 0 {
		s.held.Release()
		return enterSlow(c, id)
	}
	l.admitted[c%slots].Add(1)
	return s, o, nil
}

// enterSlow is enter where there is a formula or an account to ask, or an error to find, or
// sections are registered.
func enterSlow(c call, id ID) (section, cap.Object, error) {
	if core.pending.Load() != 0 {
		core.tasks.stop()
	}
	s := begin(2)
	inside := false
	defer func() {
		if !inside { // refused, or a function of a formula panicked
			s.leave()
		}
	}()
	e := &callTable[c%slots]
	cpu := core.cpu()
	o, err := core.table.Admit(cpu, id, e.typ, e.need, e.gas)
	if err != nil {
		core.lanes[cpu].refused[c%slots].Add(1)
		return section{}, 0, c.fail(err)
	}
	inside = true
	core.lanes[cpu].admitted[c%slots].Add(1)
	return s, o, nil
}

// begin begins a section, which a stall reports by the function skip callers above the caller.
func begin(skip int) section {
	cpu := core.cpu()
	if core.track {
		return section{core.rcu.HoldTracked(cpu, skip+1)}
	}
	return section{core.lanes[cpu].rcu.Hold()}
}

// value returns the Go value of an admitted call's object: it is there as long as the section lasts.
func value[T any](o cap.Object) T {
	v, _ := core.table.Value(o)
	return v.(T)
}

// counted counts a call of family cap, and names its error.
func (c call) counted(err error) error {
	l := &core.lanes[core.cpu()]
	if err != nil {
		l.refused[c%slots].Add(1)
		return c.fail(err)
	}
	l.admitted[c%slots].Add(1)
	return nil
}

// count sums up how often a call was admitted and refused.
func (c call) count() (admitted, refused uint64) {
	for i := range core.lanes {
		admitted += core.lanes[i].admitted[c%slots].Load()
		refused += core.lanes[i].refused[c%slots].Load()
	}
	return admitted, refused
}

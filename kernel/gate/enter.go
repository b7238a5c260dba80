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
type section struct {
	held  rcu.Held
	token rcu.Token // in its place, with rcu.track
}

// leave ends the section.
func (s section) leave() {
	if s.held == (rcu.Held{}) {
		s.leaveTracked()
		return
	}
	s.held.Release()
}

//go:noinline
func (s section) leaveTracked() { core.rcu.ReadUnlock(s.token) }

// tally counts the calls of one CPU. It fills whole pairs of cache lines, which the prefetcher
// fetches together: CPUs don't share them.
type tally struct {
	admitted, refused [slots]atomic.Uint64
}

// enter admits a call: the caller is then in the section, and leaves it. After an error it is in
// none.
func enter(c call, id ID) (section, cap.Object, error) {
	cpu := core.cpu()
	if core.track {
		return enterSlow(c, id, cpu)
	}
	entry := &callTable[c%slots]
	s := section{held: core.rcu.Hold(cpu)}
	o := core.table.Grants(id, entry.typ, entry.need)
	if o == 0 {
		s.leave()
		return enterSlow(c, id, cpu)
	}
	core.tallies[cpu].admitted[c%slots].Add(1)
	return s, o, nil
}

// enterSlow is enter where there is a formula or an account to ask, or an error to find, or
// sections are registered.
func enterSlow(c call, id ID, cpu int) (section, cap.Object, error) {
	s := begin(2)
	inside := false
	defer func() {
		if !inside { // refused, or a function of a formula panicked
			s.leave()
		}
	}()
	entry := &callTable[c%slots]
	o, err := core.table.Admit(cpu, id, entry.typ, entry.need, entry.gas)
	if err != nil {
		core.tallies[cpu].refused[c%slots].Add(1)
		return section{}, 0, c.fail(err)
	}
	inside = true
	core.tallies[cpu].admitted[c%slots].Add(1)
	return s, o, nil
}

// begin begins a section, which a stall reports by the function skip callers above the caller.
func begin(skip int) section {
	if !core.track {
		return section{held: core.rcu.Hold(core.cpu())}
	}
	return section{token: core.rcu.Track(core.rcu.ReadLock(core.cpu()), skip+1)}
}

// value returns the Go value of an admitted call's object: it is there as long as the section lasts.
func value[T any](o cap.Object) T {
	v, _ := core.table.Value(o)
	return v.(T)
}

// counted counts a call of family cap, and names its error.
func (c call) counted(err error) error {
	t := &core.tallies[core.cpu()]
	if err != nil {
		t.refused[c%slots].Add(1)
		return c.fail(err)
	}
	t.admitted[c%slots].Add(1)
	return nil
}

// count sums up how often a call was admitted and refused.
func (c call) count() (admitted, refused uint64) {
	for i := range core.tallies {
		admitted += core.tallies[i].admitted[c%slots].Load()
		refused += core.tallies[i].refused[c%slots].Load()
	}
	return admitted, refused
}

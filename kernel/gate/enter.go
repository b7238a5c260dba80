package gate

import (
	"pdac/kernel/cap"
	"pdac/kernel/rcu"
)

// The way in and out. A call is admitted by its capability inside a read section, and stays in it
// for as long as it relies on that: so a Revoke, which waits for the sections under way, has waited
// for all that the capability admitted.
//
// Each call leaves what it entered, on every way: those that touch the caller's memory or run
// foreign code by defer, since they may panic; the others, which can't, without.

// enter admits a call: the caller is then in the section, and leaves it by leave. After an error it
// is in none.
func enter(c call, id ID) (rcu.Token, cap.Object, error) {
	cpu := core.cpu()
	t := core.rcu.ReadLock(cpu)
	if !core.table.Holds(id, callTable[c].need) {
		return enterSlow(c, id, cpu, t)
	}
	// It has no formula, and never will: nothing that Admit asks can panic.
	o, err := core.table.Admit(cpu, id, callTable[c].typ, callTable[c].need, callTable[c].gas)
	if err != nil {
		return refuse(c, cpu, t, err)
	}
	core.admitted[c].Add(cpu, 1)
	return core.rcu.Track(t, 1), o, nil
}

// enterSlow is enter where there is a formula or an account to ask, or an error to find.
func enterSlow(c call, id ID, cpu int, t rcu.Token) (rcu.Token, cap.Object, error) {
	inside := false
	defer func() {
		if !inside { // a function of a formula panicked
			core.rcu.ReadUnlock(t)
		}
	}()
	o, err := core.table.Admit(cpu, id, callTable[c].typ, callTable[c].need, callTable[c].gas)
	inside = true
	if err != nil {
		return refuse(c, cpu, t, err)
	}
	core.admitted[c].Add(cpu, 1)
	return core.rcu.Track(t, 2), o, nil
}

func refuse(c call, cpu int, t rcu.Token, err error) (rcu.Token, cap.Object, error) {
	core.rcu.ReadUnlock(t)
	core.refused[c].Add(cpu, 1)
	return 0, 0, c.fail(err)
}

// leave ends the section.
func leave(t rcu.Token) { core.rcu.ReadUnlock(t) }

// value returns the Go value of an admitted call's object: it is there as long as the section lasts.
func value[T any](o cap.Object) T {
	v, _ := core.table.Value(o)
	return v.(T)
}

// counted counts a call of family cap, and names its error.
func (c call) counted(err error) error {
	cpu := core.cpu()
	if err != nil {
		core.refused[c].Add(cpu, 1)
		return c.fail(err)
	}
	core.admitted[c].Add(cpu, 1)
	return nil
}

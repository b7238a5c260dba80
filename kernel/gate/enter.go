package gate

import (
	"runtime"
	"strings"
	"sync/atomic"

	"pdac/kernel/cap"
	"pdac/kernel/rcu"
)

// The way in and out. A call is admitted by its capability inside a read section, and stays in it
// for as long as it relies on that: so a Revoke, which waits for the sections under way, has waited
// for all that the capability admitted.
//
// Each call leaves what it entered, by Release, on every way: those that touch the caller's memory or run
// foreign code by defer, since they may panic; the others, which can't, without.

// lane is what calls touch of one CPU: its sections, and counts of calls.
type lane struct {
	admitted [slots]uint64 // atomic
	rcu      rcu.Lane
	refused  [slots]uint64 // atomic
	_        [128 - 8]byte // keeps CPUs off each other's lines, which the prefetcher fetches in pairs
}

// here returns the lane of the caller's CPU, which it may have left when it uses the lane: that is slower, and
// as right, since all of a lane is written by atomic instructions.
func here() *lane { return (*lane)(core.local()) }

// enter admits a call: the caller is then in the section, and leaves it. After an error it is in
// none.
func enter(c call, id ID) (rcu.Held, cap.Object, error) { return admit(id, &callTable[c]) }

// admit is enter by the call's entry, whose address is a constant to most callers. Where sections are
// registered the quick table is an empty one, so they all come to enterSlow without being asked for.
//
// It is a null call's cost, but for a dozen instructions in the wrapper, and three of it lock memory: the
// section, its end, and the count. (Rejected: to count by the section's own counter, one for each call;
// a grace period would look through all of them. A count without a lock: who is preempted in the middle
// stores what is long past.) It has no methods where each would leave a NOP, the compiler's mark of what it
// has inlined, and is nosplit to save two instructions: its only callees are the board's and enterSlow.
//
//go:nosplit
func admit(id ID, e *entry) (rcu.Held, cap.Object, error) {
	l := (*lane)(core.local())
	s := l.rcu.Hold()
	n := e.number
	if o, ok := (*cap.Table)(atomic.LoadPointer(&core.quick)).Grants(id, &e.Demand); ok {
		atomic.AddUint64(&l.admitted[n], 1)
		return s, o, nil
	}
	s.Release()
	return enterSlow(id, e)
}

// enterSlow is enter where there is a formula or an account to ask, or an error to find, or
// sections are registered.
func enterSlow(id ID, e *entry) (rcu.Held, cap.Object, error) {
	heed()
	defer core.table.Agree(id).End() // before the section
	s := begin()
	cpu := core.cpu()
	l := &core.lanes[cpu]
	o, err := core.table.Admit(cpu, id, e.Type, e.Need, e.gas)
	if err != nil {
		s.Release()
		atomic.AddUint64(&l.refused[e.number], 1)
		return rcu.Held{}, 0, e.number.fail(err)
	}
	atomic.AddUint64(&l.admitted[e.number], 1)
	return s, o, nil
}

// begin begins a section, which a stall reports by the function that called the gate.
func begin() rcu.Held {
	cpu := core.cpu()
	if core.track {
		return core.rcu.HoldTracked(cpu, outside())
	}
	return core.lanes[cpu].rcu.Hold()
}

// outside returns how many callers above begin, which calls it, the program is: calls come to begin on
// ways of different lengths, and some by way of ipc.
func outside() int {
	var pcs [16]uintptr // one for each function, inlined ones too
	n := runtime.Callers(2, pcs[:])
	for i, pc := range pcs[:n] {
		name := runtime.FuncForPC(pc - 1).Name()
		if !strings.HasPrefix(name, "pdac/kernel/gate.") && !strings.HasPrefix(name, "pdac/kernel/ipc.") {
			return i
		}
	}
	return n - 1
}

// value returns the Go value of an admitted call's object: it is there as long as the section lasts.
func value[T any](o cap.Object) T {
	return core.table.Held(o).(T)
}

// counted counts a call of family cap, and names its error.
func (c call) counted(err error) error {
	l := here()
	if err != nil {
		atomic.AddUint64(&l.refused[c], 1)
		return c.fail(err)
	}
	atomic.AddUint64(&l.admitted[c], 1)
	return nil
}

// count sums up how often a call was admitted and refused.
func (c call) count() (admitted, refused uint64) {
	for i := range core.lanes {
		admitted += atomic.LoadUint64(&core.lanes[i].admitted[c])
		refused += atomic.LoadUint64(&core.lanes[i].refused[c])
	}
	return admitted, refused
}

package cap

import (
	"sync/atomic"

	"pdac/asm"
)

// Functions of formulas: registered as objects (object.go) of type 0, which no capability is for.
//
// A function may take its time, or never return. So it is asked in no read section, where it would hold up
// every Revoke, but before the section of the use that it is asked about: Agree asks, and notes the
// consent, by goroutine and identifier. The use enters its section, finds the identifier active, and looks
// for the consent. What is the answer worth then? The identifier is the same and active, so the slot has had
// no other tenant, nor has one above it; so the chain of records, which is constant while its entries live,
// is the one whose functions were asked. And the answer is as old as the call, as one given in
// the section would be as soon as it is given. The other conditions are looked at and consumed after it,
// in the section. Where a function was not asked, or has not agreed, the use is ErrRefused.
//
// Words and writers: a place's goroutine by CAS from 0 and back by the one that it names, which alone
// writes its identifier, and alone looks for it; so what others do doesn't matter to it.
//
// Reclamation: a function outlives its record while it is being run, as the collector sees to.
//
// Progress: Agree is as fast as the functions are; to look for a consent is wait-free. When all places are
// taken no consent can be noted, and what has functions is refused.
//
// Rejected: asking in the section (as above); a parameter from the asking to the use, which messages would
// carry through package ipc.
//
// World: above the runtime.

// consents are those of uses under way.
type consents struct {
	running atomic.Int32
	places  [places]consent
}

type consent struct {
	who atomic.Uintptr // a goroutine; 0: the place is free
	id  atomic.Uint64
}

// Consent is what Agree returns, until its End.
type Consent struct {
	in *consents
	at *consent // nil: there is none
}

// Agree asks the functions of a capability's formulas about a use of it by the calling goroutine, which
// ends it by Consent.End. If it has functions and isn't asked before, the use is ErrRefused: Derive and
// all others but Admit, DeriveAgreed and Carry do this by themselves.
//
// Preconditions: the caller is in no read section: it would last as long as the functions take.
func (t *Table) Agree(id ID) Consent {
	if t.Holds(id, 0) || !t.hasFunctions(id.Slot()) {
		return Consent{}
	}
	return t.agree(id)
}

// hasFunctions reports whether there are functions in an entry's chain. Outside of a section the entry may end
// meanwhile, and the answer be of anything: the use of it fails then.
func (t *Table) hasFunctions(slot uint32) bool {
	if slot >= t.limit.Load() {
		return false
	}
	s := t.cold[slot].formula.Load()
	return s != 0 && t.records[s].above.Load()&asks != 0
}

func (t *Table) agree(id ID) Consent {
	var asked [maxChain]func(Info) bool
	info, n := t.functionsOf(id, &asked)
	for _, f := range asked[:n] {
		if t.run(f, info) != OK {
			return Consent{}
		}
	}
	if n == 0 {
		return Consent{}
	}
	return t.consents.note(id)
}

// functionsOf returns the functions to be asked about a use of id, if all other conditions agree at this
// time, and what they are told: all of the entry but its identifier. They belong to who derived the entry or
// one above, and whoever knows an identifier may use it.
func (t *Table) functionsOf(id ID, asked *[maxChain]func(Info) bool) (info Info, n int) {
	slot := id.Slot()
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(t.rcu.CPU()))
	if s, v := t.judge(id, 0); v != OK || s&slow == 0 {
		return info, 0
	}
	first := t.cold[slot].formula.Load()
	if _, found, v := t.look(first); v != OK || found&functions == 0 {
		return info, 0
	}
	info, ok := t.info(slot)
	if !ok {
		return info, 0
	}
	info.ID = 0
	for s := first; s != 0; s = t.records[s].next() {
		if o := Object(t.records[s].function.Load()); o != 0 {
			value, _ := t.Value(o) // it is there in this section
			asked[n] = value.(func(Info) bool)
			n++
		}
	}
	return info, n
}

// run runs one function. From inside another one none is run: its uses could lead back to itself, for ever.
func (t *Table) run(f func(Info) bool, info Info) Verdict {
	if t.insiders.inside() {
		return ErrInside
	}
	place, ok := t.insiders.enter()
	if !ok {
		return ErrRefused
	}
	defer t.insiders.leave(place) // it may panic
	if !f(info) {
		return ErrRefused
	}
	return OK
}

// note notes a consent. Without a free place there is none.
func (c *consents) note(id ID) Consent {
	g := asm.Goroutine()
	c.running.Add(1)
	start := placeOf(g)
	for i := range places {
		at := &c.places[(start+i)%places]
		if at.who.Load() == 0 && at.who.CompareAndSwap(0, g) {
			at.id.Store(uint64(id))
			return Consent{c, at}
		}
	}
	c.running.Add(-1)
	return Consent{}
}

// End ends the consent.
func (c Consent) End() {
	if c.at != nil {
		c.at.id.Store(0)
		c.at.who.Store(0)
		c.in.running.Add(-1)
	}
}

// agreed says why the use of an entry with functions isn't one that they have agreed to. A consent of the call that
// the caller's function is asked about isn't one for what the function does: it would be as many as it likes.
func (t *Table) agreed(slot uint32) Verdict {
	if t.insiders.inside() {
		return ErrInside
	}
	c := &t.consents
	if c.running.Load() != 0 {
		g := asm.Goroutine()
		id, _ := split(t.at(slot).word.Load(), slot)
		start := placeOf(g)
		for i := range places {
			at := &c.places[(start+i)%places]
			if at.who.Load() == g && at.id.Load() == uint64(id) {
				return OK
			}
		}
	}
	return ErrRefused
}

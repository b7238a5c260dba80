package cap

import (
	"sync/atomic"
	"unsafe"
)

// Asking, and learning for what.
//
// The object is loaded before the word. It was written before the identifier was handed out, so
// the load sees it or something later; a later one is written only when the tag is gone from the
// word, and then the load of the word, which follows, sees that. (The other way round a tenant could
// change between the two, and the check of the old one would give the new one's object.)
//
// Linearization: at the load of the word. Progress: wait-free without a formula.

// Find is to Lookup what Holds is to Check: inlined, past all caches, and false says nothing. Where
// it matters write
//
//	o, ok := t.Find(id, need)
//	if !ok {
//		o, err = t.Lookup(cpu, id, need)
//	}
//
// World: both.
func (t *Table) Find(id ID, need Perm) (o Object, ok bool) {
	if i := uintptr(id & slotMask); i < uintptr(t.limit.Load()) && need <= AllPerms {
		e := t.entry(i)
		o = Object(e.object.Load())
		ok = (e.word.Load()^uint64(id))&(uint64(need)|decisive) == 0
	}
	return
}

// Lookup returns the object that id is a capability for, if it has all of the needed permissions
// and its formula agrees.
//
// Errors: ErrNoCapability, ErrRevoked, *PermissionError, and those of a formula: ErrExpired,
// ErrUsedUp, ErrOverQuota, ErrRefused.
func (t *Table) Lookup(cpu int, id ID, need Perm) (Object, error) {
	if limit := t.limit.Load(); limit > t.cacheAbove.Load() && id.Slot() < limit && need <= AllPerms {
		return t.lookupCached(cpu, id, need)
	}
	if o, ok := t.Find(id, need); ok {
		return o, nil
	}
	return t.lookupSlow(cpu, id, need)
}

func (t *Table) lookupSlow(cpu int, id ID, need Perm) (Object, error) {
	o := t.objectOf(id)
	if v := t.verdict(cpu, id, need); v != OK {
		return 0, t.explain(v, id, need)
	}
	return o, nil
}

// objectOf returns the object in a slot, for whoever checks the identifier afterwards.
func (t *Table) objectOf(id ID) Object {
	if slot := id.Slot(); slot < t.limit.Load() {
		return Object(t.at(slot).object.Load())
	}
	return 0
}

// Look is Lookup for below the runtime: it allocates nothing and runs no user's function, which
// counts as refusing. A missing permission is ErrPermission.
//
// Preconditions: the caller is in a section of the table's rcu.Domain, or in one of the traps that
// this waits for.
func (t *Table) Look(id ID, need Perm) (Object, Verdict) {
	o := t.objectOf(id)
	s, v := t.judge(id, need)
	if v == OK && s&slow != 0 {
		v = t.evalChainBelow(id.Slot())
	}
	if v != OK {
		return 0, v
	}
	return o, OK
}

// Demand is what a gated call asks of a capability.
type Demand struct {
	Type Type // of the object
	Need Perm // not beyond AllPerms
}

// Grants is the fast path of Admit, and inlined: it returns the object if id is a capability that meets the
// demand, and has no formula or account to ask. false says nothing: Admit does.
// (In place of methods it has what they do: each would leave a NOP here, the compiler's mark of what it has
// inlined.)
//
// Preconditions: as Admit.
func (t *Table) Grants(id ID, d *Demand) (o Object, ok bool) {
	if i := uintptr(id & slotMask); uint32(i) < t.limit.Load() {
		e := (*entry)(unsafe.Add(t.hot, i*entryBytes))
		o = Object(atomic.LoadUint64((*uint64)(unsafe.Pointer(&e.object))))
		w := atomic.LoadUint64((*uint64)(unsafe.Pointer(&e.word)))
		ok = (w^uint64(id))&(uint64(d.Need)|decisive) == 0 && o.Type() == d.Type
	}
	return
}

// Admit is Lookup for a gated call: the object must be of the type, and the call's gas is drawn
// from the account that the capability draws on, if there is one. The caller is in a read section,
// which Revoke, Narrow and Transfer wait for, and stays in it for as long as the call may rely on
// the capability.
//
// Functions are asked before, by Agree.
//
// Errors: as Lookup, and ErrType, ErrGas. After an error nothing is drawn or used.
func (t *Table) Admit(cpu int, id ID, typ Type, need Perm, gas int64) (Object, error) {
	if o, ok := t.Find(id, need); ok && o.Type() == typ && gas >= 0 {
		return o, nil
	}
	return t.admitSlow(cpu, id, typ, need, gas)
}

func (t *Table) admitSlow(cpu int, id ID, typ Type, need Perm, gas int64) (Object, error) {
	o := t.objectOf(id)
	s, v := t.judge(id, need)
	switch {
	case v != OK:
		return 0, t.explain(v, id, need)
	case o.Type() != typ:
		return 0, ErrType
	case gas < 0:
		return 0, ErrGas
	case s&slow != 0:
		if v := t.spend(cpu, id.Slot(), gas); v != OK {
			return 0, v
		}
	}
	return o, nil
}

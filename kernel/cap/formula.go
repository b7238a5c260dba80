package cap

import (
	"math"
	"sync/atomic"
	"time"
)

// Formulas: conditions beside the permissions, which depend on time, count, rate or a function.
//
// A record holds what an entry has to ask: the conditions of its formula and its gas account.
// Records are an array by slot, one cache line each and touched only where there is one, so they
// need no allocation of their own. cold.formula names the nearest record at or above an entry, and
// each record the next one above it: entries without a formula cost their descendants nothing. The
// links are right for as long as the entry lives, since parents outlive children.
//
// All conditions of the chain are looked at, and functions have agreed, before anything is consumed. Then
// gas, uses and quotas are taken, in that order; when one is short, because somebody took it since
// the look, what was taken is given back. So never can more succeed than a formula allows: each
// success has taken its own use from each record of the chain, by CAS. What can be observed is a
// refusal by a use that another call holds and gives back an instant later; it is there for the
// next one. formula_quota.go tells the one case in which a refused call costs something.
//
// Words and writers:
//
//	uses       by CAS, down to 0; by adding 1 who took one
//	arrival    formula_quota.go
//	gas        gas.go
//	the rest   who fills the slot, before it is linked. Constant until the slot is free
//
// Linearization: of a success, at the last of its CASes; of a refusal, at the load that found one
// condition false.
//
// Reclamation: a chain is walked in the read section that found the entry active, so no slot on it
// changes its tenant. The function of a record is let go when its slot is free.
//
// Progress: lock-free. The walk is bounded: a chain has at most maxChain records.
//
// Rejected: records of their own with a free list (one more life time, to save memory that is only
// reserved); taking first and looking never (a capability with an empty bucket would wear out its
// parent's uses).

// Formula is a condition beside the permissions, and what was derived from a capability must meet
// it as well. All parts that are set have to agree.
type Formula struct {
	// ExpiresAt is the time on Config.Now, in ns, from which on it is ErrExpired.
	// 0: never.
	ExpiresAt uint64

	// Uses is how many checks and derivations succeed; then it is ErrUsedUp. 0:
	// any number.
	Uses int64

	// Every is the time for each use, on average: sooner is ErrOverQuota. After a
	// pause, Burst uses can come at once (0: one). 0: no quota. Every times Burst is
	// at most 146 years.
	Every time.Duration
	Burst int64

	// Func is asked at each use of the capability or of one derived from it, which
	// Info describes, but for its identifier: false is ErrRefused. Below the runtime
	// it isn't asked, and the use refused. It is asked before the use begins, and holds up
	// nobody else. What waits for calls to end is ErrInside there, and so is the use of
	// another capability with a function. A panic in it goes to who made the use.
	Func func(Info) bool
}

// valid reports whether a formula can be.
func (f *Formula) valid() bool {
	return f.Uses >= 0 && f.Every >= 0 && f.Burst >= 0 &&
		(f.Every == 0 || max(f.Burst, 1) <= math.MaxInt64/2/int64(f.Every))
}

// maxChain is the most records that an entry can have at and above it: it bounds the time that a
// check takes below the runtime.
const maxChain = 64

// asks, in above: there is a function here or further up.
const asks = 1 << 31

// record is what an entry has to ask.
type record struct {
	above     atomic.Uint32 // asks | length of the chain from here on << slotBits | slot of the next record; 0: none
	payer     atomic.Uint32 // slot of the nearest account, at or above; 0: none
	gas       atomic.Int64  // balance, or closed
	expires   atomic.Uint64 // ns; 0: never
	uses      atomic.Int64  // left, or unlimited
	interval  atomic.Uint64 // ns per use; 0: no quota
	tolerance atomic.Uint64 // ns by which a use may come too early
	arrival   atomic.Uint64 // ns: when a use is next due
	function  atomic.Uint64 // Object; 0: none
}

const unlimited = -1

// attach gives a slot that is being filled its record, if it needs one, and draws its gas from the
// account of its parent; a root's is minted. To derive is a use of the parent: its formulas are
// asked. After an error nothing has changed.
//
// Preconditions: in the read section that found the parent active.
//
// Errors: ErrFormula, ErrGas, ErrFull; of the parent's formulas.
func (t *Table) attach(slot, parent uint32, opt Options) Verdict {
	if opt.Gas < 0 {
		return ErrGas
	}
	above := uint32(0)
	if parent != 0 {
		above = t.cold[parent].formula.Load()
	}
	if opt.Formula == nil && opt.Gas == 0 {
		own32(&t.cold[slot].formula, above)
		if above == 0 {
			return OK
		}
		return t.evalChain(parent, 0)
	}
	chain, payer, flag := uint32(1), uint32(0), uint32(0)
	if above != 0 {
		up := t.records[above].above.Load()
		chain += up &^ asks >> slotBits
		flag = up & asks
		payer = t.records[above].payer.Load()
	}
	var f Formula
	if opt.Formula != nil {
		f = *opt.Formula
	}
	if !f.valid() || chain > maxChain {
		return ErrFormula
	}
	function := Object(0)
	if f.Func != nil {
		var err error
		if function, err = t.Register(0, f.Func, nil); err != nil {
			return ErrFull
		}
		flag = asks
	}
	v := OK
	switch {
	case parent == 0:
		v = t.mint(opt.Gas)
	case opt.Gas != 0 && payer == 0:
		v = ErrGas // only the kernel makes some
	default:
		v = t.evalChain(parent, opt.Gas)
	}
	if v != OK {
		t.Unregister(function)
		return v
	}
	r := &t.records[slot]
	r.expires.Store(f.ExpiresAt)
	r.uses.Store(f.Uses)
	if f.Uses == 0 {
		r.uses.Store(unlimited)
	}
	r.setQuota(uint64(f.Every), uint64(max(f.Burst, 1)))
	r.function.Store(uint64(function))
	r.gas.Store(opt.Gas)
	if opt.Gas == 0 {
		r.gas.Store(closed)
	} else {
		payer = slot
	}
	r.payer.Store(payer)
	r.above.Store(flag | chain<<slotBits | above)
	t.cold[slot].formula.Store(slot)
	return OK
}

// detach takes back what attach gave.
//
// Preconditions: no reader can reach the slot any more.
func (t *Table) detach(slot uint32) {
	if t.cold[slot].formula.Load() != slot {
		return
	}
	t.Unregister(Object(t.records[slot].function.Swap(0)))
	t.cold[slot].formula.Store(0)
}

// conditions returns what Info tells of an entry's own formula.
func (t *Table) conditions(slot uint32) (expiresAt uint64, usesLeft int64) {
	if t.cold[slot].formula.Load() != slot {
		return 0, unlimited
	}
	r := &t.records[slot]
	return r.expires.Load(), r.uses.Load()
}

// next returns the slot of the next record above; 0: none.
func (r *record) next() uint32 { return r.above.Load() & slotMask }

// evalChain asks the formulas of an entry and its ancestors, and draws gas from the account that
// it draws on, if there is one. Unless that is OK nothing is consumed. What becomes of the gas is
// the caller's business. Slot 0 is the kernel and asks nobody.
//
// Preconditions: in the read section that found the entry active; gas is not negative, and 0 where
// there is no account.
func (t *Table) evalChain(slot uint32, gas int64) Verdict {
	first := t.cold[slot].formula.Load()
	if first == 0 {
		return OK
	}
	now, found, v := t.look(first)
	if v == OK && found&functions != 0 {
		v = t.agreed(slot)
	}
	if v != OK || found == 0 && gas == 0 { // with nothing to consume
		return v
	}
	return t.consume(first, found, now, gas)
}

// evalChainBelow is evalChain without functions, which refuse.
//
// World: both.
func (t *Table) evalChainBelow(slot uint32) Verdict {
	first := t.cold[slot].formula.Load()
	if first == 0 {
		return OK
	}
	now, found, v := t.look(first)
	switch {
	case v != OK:
		return v
	case found&functions != 0:
		return ErrRefused
	}
	return t.consume(first, found, now, 0)
}

// Expired reports whether the formula of a capability, or of one above it, has expired. It asks nothing
// else, and is no use: for who was admitted by id, and has waited since.
//
// Preconditions: in a read section in which id was found active.
func (t *Table) Expired(id ID) bool {
	for s := t.cold[id.Slot()].formula.Load(); s != 0; s = t.records[s].next() {
		if at := t.records[s].expires.Load(); at != 0 && t.now() >= at {
			return true
		}
	}
	return false
}

// kinds are what the records of a chain hold that has to be asked or consumed.
type kinds uint8

const (
	counts kinds = 1 << iota
	quotas
	functions
)

// look looks at the conditions of a chain, and returns the time at which it did and what else it
// found.
func (t *Table) look(first uint32) (now uint64, found kinds, v Verdict) {
	for s := first; s != 0; s = t.records[s].next() {
		r := &t.records[s]
		expires, uses, quota := r.expires.Load(), r.uses.Load(), r.interval.Load() != 0
		if now == 0 && (expires != 0 || quota) {
			now = t.now()
		}
		switch {
		case expires != 0 && now >= expires:
			return now, found, ErrExpired
		case uses == 0:
			return now, found, ErrUsedUp
		case quota && !r.due(now):
			return now, found, ErrOverQuota
		}
		if uses != unlimited {
			found |= counts
		}
		if quota {
			found |= quotas
		}
		if r.function.Load() != 0 {
			found |= functions
		}
	}
	return now, found, OK
}

// consume takes what a call costs from every record of a chain, or nothing.
func (t *Table) consume(first uint32, found kinds, now uint64, gas int64) Verdict {
	if gas != 0 {
		if v := t.draw(first, gas); v != OK {
			return v
		}
	}
	v, end := OK, uint32(0)
	if found&counts != 0 {
		if end = t.takeUses(first); end != 0 {
			v = ErrUsedUp
		}
	}
	if v == OK && found&quotas != 0 && !t.takeQuotas(first, now) {
		v = ErrOverQuota
	}
	if v != OK {
		if found&counts != 0 {
			t.undoUses(first, end)
		}
		t.credit(first, gas)
	}
	return v
}

// takeUses takes a use from each record of a chain, up to one that has none left, which it
// returns; 0: all had.
func (t *Table) takeUses(first uint32) (end uint32) {
	for s := first; s != 0; s = t.records[s].next() {
		if !t.records[s].use() {
			return s
		}
	}
	return 0
}

// undoUses gives back what takeUses took from first to before end.
func (t *Table) undoUses(first, end uint32) {
	for s := first; s != end; s = t.records[s].next() {
		if r := &t.records[s]; r.uses.Load() != unlimited { // which is constant
			r.uses.Add(1)
		}
	}
}

// use takes one of the uses that are left. False: none is.
func (r *record) use() bool {
	for {
		left := r.uses.Load()
		if left <= 0 {
			return left == unlimited
		}
		if r.uses.CompareAndSwap(left, left-1) {
			return true
		}
	}
}

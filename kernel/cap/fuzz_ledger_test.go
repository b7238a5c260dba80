package cap

import (
	"errors"
	"math"
	"testing"
)

// Any string of bytes is a sequence of calls, and each must give what a plain list of entries gives,
// written down from DESIGN.md without a look at the tables: it knows nothing of slots, tags, words
// or links, but keeps identifiers as names. Only its clock moves, and only between calls.

// fuzzEntry is one capability, ended or not.
type fuzzEntry struct {
	name    ID
	above   int // index; -1: a root
	ended   bool
	space   Space
	object  Object
	perms   Perm
	expires uint64
	uses    int64 // -1: any number
	account bool
	gas     int64
}

// ledger is the model.
type ledger struct {
	entries []fuzzEntry
	names   map[ID]int // also those of before a transfer
	now     uint64
	minted  int64
	spent   int64
	left    int64 // treasury
}

// chain calls f for an entry and all above it, until f returns false.
func (l *ledger) chain(i int, f func(*fuzzEntry) bool) {
	for ; i >= 0 && f(&l.entries[i]); i = l.entries[i].above {
	}
}

// find returns the entry that a name is for now, if it has the permissions.
func (l *ledger) find(name ID, need Perm) (int, error) {
	i, was := l.names[name]
	switch {
	case !was:
		return 0, ErrNoCapability
	case l.entries[i].ended || l.entries[i].name != name:
		return 0, ErrRevoked
	case l.entries[i].perms&need != need:
		return 0, ErrPermission
	}
	return i, nil
}

// payer returns the account that an entry draws on; nil: none.
func (l *ledger) payer(i int) (account *fuzzEntry) {
	l.chain(i, func(e *fuzzEntry) bool {
		if e.account {
			account = e
		}
		return account == nil
	})
	return account
}

// use asks all conditions from an entry up, and takes what they and the call cost, or nothing.
func (l *ledger) use(i int, gas int64) (err error) {
	l.chain(i, func(e *fuzzEntry) bool {
		switch {
		case e.expires != 0 && l.now >= e.expires:
			err = ErrExpired
		case e.uses == 0:
			err = ErrUsedUp
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	if a := l.payer(i); a != nil && gas > 0 {
		if a.gas < gas {
			return ErrGas
		}
		a.gas -= gas
	}
	l.chain(i, func(e *fuzzEntry) bool {
		if e.uses > 0 {
			e.uses--
		}
		return true
	})
	return nil
}

func (l *ledger) isBelow(i, top int) (yes bool) {
	for ; i >= 0; i = l.entries[i].above {
		yes = yes || i == top
	}
	return yes
}

func (l *ledger) subtree(top int, f func(*fuzzEntry)) {
	for i := range l.entries {
		if !l.entries[i].ended && l.isBelow(i, top) {
			f(&l.entries[i])
		}
	}
}

func (l *ledger) add(e fuzzEntry, f *Formula, gas int64) {
	e.uses, e.gas, e.account = -1, gas, gas > 0
	if f != nil {
		e.expires = f.ExpiresAt
		if f.Uses > 0 {
			e.uses = f.Uses
		}
	}
	l.names[e.name] = len(l.entries)
	l.entries = append(l.entries, e)
}

// end ends a subtree: what its accounts hold goes to the nearest one that stays.
func (l *ledger) end(top int) {
	rest := int64(0)
	l.subtree(top, func(e *fuzzEntry) {
		rest += e.gas
		e.ended, e.account, e.gas = true, false, 0
	})
	if a := l.payer(l.entries[top].above); a != nil {
		a.gas += rest
	} else {
		l.left += rest
	}
}

// holds: the authority has the permission, and is at or above the other.
func (l *ledger) holds(authority, name ID, need Perm) (int, error) {
	i, err := l.find(name, 0)
	if err != nil {
		return 0, err
	}
	a, err := l.find(authority, need)
	if err != nil {
		return 0, err
	}
	if !l.isBelow(i, a) {
		return 0, ErrNotOwner
	}
	return i, l.use(a, 0)
}

func (l *ledger) create(o Object, s Space, p Perm, f *Formula, gas int64) (func(ID), error) {
	switch {
	case p&^AllPerms != 0:
		return nil, ErrExceeds
	case gas < 0 || gas > math.MaxInt64-l.minted:
		return nil, ErrGas
	}
	l.minted += gas
	return func(id ID) { l.add(fuzzEntry{name: id, above: -1, space: s, object: o, perms: p}, f, gas) }, nil
}

func (l *ledger) derive(parent ID, s Space, p Perm, f *Formula, gas int64) (func(ID), error) {
	i, err := l.find(parent, Delegate)
	switch {
	case err != nil:
		return nil, err
	case p&^l.entries[i].perms != 0:
		return nil, ErrExceeds
	case gas < 0, gas > 0 && l.payer(i) == nil:
		return nil, ErrGas
	}
	if err := l.use(i, gas); err != nil {
		return nil, err
	}
	o := l.entries[i].object
	return func(id ID) { l.add(fuzzEntry{name: id, above: i, space: s, object: o, perms: p}, f, gas) }, nil
}

func (l *ledger) grant(authority, name ID, p Perm) error {
	i, err := l.find(name, Upgrade)
	if err != nil {
		return err
	}
	a, err := l.find(authority, Delegate)
	switch {
	case err != nil:
		return err
	case p&^l.entries[a].perms != 0:
		return ErrExceeds
	case l.entries[i].above != a:
		return ErrNotOwner
	}
	if err := l.use(a, 0); err != nil {
		return err
	}
	l.entries[i].perms |= p
	return nil
}

// compare fails unless the table says of each entry what the model does, and has no other.
func (l *ledger) compare(t *testing.T, table *Table, call int) {
	t.Helper()
	there := 0
	for name, i := range l.names {
		e := &l.entries[i]
		info, err := table.Info(name)
		if e.ended || e.name != name {
			if !errors.Is(err, ErrRevoked) {
				t.Fatalf("after call %d: Info of %+v: %v", call, e, err)
			}
			continue
		}
		there++
		parent := uint32(0)
		if e.above >= 0 {
			parent = l.entries[e.above].name.Slot()
		}
		if err != nil || info.Perms != e.perms || info.Space != e.space || info.Object != e.object || info.Parent != parent ||
			info.Gas != e.gas || info.UsesLeft != e.uses || info.ExpiresAt != e.expires {
			t.Fatalf("after call %d: %+v, %v; want %+v", call, info, err, e)
		}
	}
	table.Walk(func(Info) bool {
		there--
		return true
	})
	if there != 0 {
		t.Fatalf("after call %d: Walk shows %d fewer", call, there)
	}
	if g := table.Stats().Gas; g.Minted != l.minted || g.Spent != l.spent || g.Treasury != l.left {
		t.Fatalf("after call %d: %+v, want %d minted, %d spent, %d left", call, g, l.minted, l.spent, l.left)
	}
}

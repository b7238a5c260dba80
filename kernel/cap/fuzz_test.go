package cap

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pdac/kernel/rcu"
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

// input gives the bytes out, zeros when there are no more.
type input struct{ bytes []byte }

func (in *input) byte() byte {
	if len(in.bytes) == 0 {
		return 0
	}
	b := in.bytes[0]
	in.bytes = in.bytes[1:]
	return b
}

// perm is mostly one of few, so that it matters what a call gives and takes.
func (in *input) perm() Perm {
	switch b := in.byte(); {
	case b < 128:
		return AllPerms &^ (1 << (b % 20))
	case b < 144:
		return 1 << (b % 20)
	case b < 240:
		return AllPerms
	case b < 244:
		return 1 << (20 + b%12) // there is no such
	default:
		return Perm(b)<<12 | Perm(in.byte())<<4 | Perm(b&15)
	}
}

// conditions are a formula without what depends on more than the clock, and gas.
func (in *input) conditions(now uint64) (f *Formula, gas int64) {
	b := in.byte()
	if b&3 == 1 {
		f = new(Formula)
		if b&4 != 0 {
			f.ExpiresAt = now + uint64(b>>4) + 1
		}
		if b&8 != 0 {
			f.Uses = int64(b >> 4)
		}
	}
	switch b & 0x60 {
	case 0x20:
		gas = int64(in.byte())
	case 0x60:
		gas = int64(int8(in.byte())) * (math.MaxInt64 / 64)
	}
	return f, gas
}

// name picks an identifier: mostly a late one, sometimes one of nothing.
func (in *input) name(names []ID) ID {
	b := int(in.byte())
	if len(names) == 0 || b >= 252 {
		return ID(in.byte())<<57 | ID(b)<<24 | ID(in.byte())
	}
	if b >= 240 { // close to one that is
		return names[b%len(names)] ^ 1<<(in.byte()%64)
	}
	return names[len(names)-1-b%min(len(names), 16)]
}

func FuzzTable(f *testing.F) {
	r := rand.NewChaCha8([32]byte{3})
	for range 32 {
		b := make([]byte, 500)
		r.Read(b)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		l := ledger{names: make(map[ID]int), now: 1}
		table, err := New(Config{
			Slots:   chunk,
			CPUs:    2,
			Now:     func() uint64 { return l.now },
			Key:     [2]uint64{5, 7},
			RCU:     rcu.New(rcu.Config{CPUs: 2, Yield: func() {}, Sleep: func(time.Duration) { t.Error("waits for nobody") }, Go: func(f func()) { f() }}),
			Reserve: func(bytes int) ([]byte, error) { return make([]byte, bytes), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		in := &input{bytes}
		var names []ID
		for call := 0; len(in.bytes) > 0 && len(l.entries) < chunk-1; call++ {
			var what string
			var got, want error
			var made ID
			add := func(ID) {}
			op := in.byte()
			switch s := Space(op >> 4); op & 15 {
			case 0:
				what = "Create"
				o := MakeObject(Type(1+op>>4), uint64(op))
				p := in.perm()
				f, gas := in.conditions(l.now)
				add, want = l.create(o, s, p, f, gas)
				made, got = table.Create(call%2, s, o, p, Options{f, gas})
			case 1, 2, 3, 4, 5:
				what = "Derive"
				from, p := in.name(names), in.perm()
				if i, err := l.find(from, 0); err == nil && in.byte() < 192 {
					p &= l.entries[i].perms
				}
				f, gas := in.conditions(l.now)
				add, want = l.derive(from, s, p, f, gas)
				made, got = table.Derive(call%2, from, s, p, Options{f, gas})
			case 6:
				what = "Grant"
				authority, name, p := in.name(names), in.name(names), in.perm()
				if i, ok := l.names[name]; ok && l.entries[i].above >= 0 && in.byte() < 192 {
					above := &l.entries[l.entries[i].above]
					authority, p = above.name, p&above.perms
				}
				want = l.grant(authority, name, p)
				got = table.Grant(authority, name, p)
			case 8:
				what = "Narrow"
				authority, name, p := in.name(names), in.name(names), in.perm()
				if in.byte() < 128 {
					authority = name
				}
				i, err := l.holds(authority, name, Revoke)
				if want = err; err == nil {
					l.subtree(i, func(e *fuzzEntry) { e.perms &= p })
				}
				got = table.Narrow(authority, name, p)
			case 9:
				what = "Transfer"
				name := in.name(names)
				i, err := l.find(name, Transfer)
				if err == nil {
					err = l.use(i, 0)
				}
				want = err
				add = func(id ID) { l.entries[i].name, l.entries[i].space, l.names[id] = id, s, i }
				made, got = table.Transfer(name, s)
			case 10:
				what = "Revoke"
				authority, name := in.name(names), in.name(names)
				i, err := l.holds(authority, name, Revoke)
				if want = err; err == nil {
					l.end(i)
				}
				got = table.Revoke(authority, name)
			case 11:
				what = "Delete"
				name := in.name(names)
				i, err := l.holds(name, name, Delete)
				if want = err; err == nil {
					l.end(i)
				}
				got = table.Delete(name)
			case 12:
				what = "EndSpace"
				if b := in.byte(); b < 224 {
					l.now += uint64(b)
					continue
				}
				want := 0
				for i := range l.entries { // the table's order is another, so it can find fewer tops
					if e := &l.entries[i]; !e.ended && e.space == s {
						l.end(i)
						want++
					}
				}
				n, err := table.EndSpace(s)
				if err != nil || n > want || n == 0 && want > 0 {
					t.Fatalf("call %d: EndSpace: %d, %v; want up to %d", call, n, err, want)
				}
			case 13:
				what = "Check"
				name, p := in.name(names), in.perm()
				i, err := l.find(name, p)
				if err == nil {
					err = l.use(i, 0)
				}
				if ok := table.Check(name, p); ok != (err == nil) {
					t.Fatalf("call %d: Check: %v, want %v", call, ok, err)
				}
			case 14:
				what = "Admit"
				name, p, gas := in.name(names), in.perm(), int64(int8(in.byte()))
				i, err := l.find(name, p)
				var object Object
				typ := Type(1 + op>>4)
				if err == nil {
					object = l.entries[i].object
					if op>>4&1 == 0 {
						typ = object.Type()
					}
					switch {
					case object.Type() != typ:
						err = ErrType
					case gas < 0:
						err = ErrGas
					default:
						pays := l.payer(i) != nil
						if err = l.use(i, gas); err == nil && pays {
							l.spent += gas
						}
					}
				}
				section := table.rcu.ReadLock(call % 2)
				var o Object
				o, got = table.Admit(call%2, name, typ, p, gas)
				table.rcu.ReadUnlock(section)
				if want = err; got == nil && o != object {
					t.Fatalf("call %d: Admit: %#x, want %#x", call, o, object)
				}
			default:
				what = "Lookup"
				name, p := in.name(names), in.perm()
				i, err := l.find(name, p)
				if err == nil {
					err = l.use(i, 0)
				}
				var o Object
				o, got = table.Lookup(call%2, name, p)
				if want = err; got == nil && want == nil && o != l.entries[i].object {
					t.Fatalf("call %d: Lookup: %#x, want %#x", call, o, l.entries[i].object)
				}
			}
			if (got == nil) != (want == nil) || !errors.Is(got, want) {
				t.Fatalf("call %d: %s: %v, want %v", call, what, got, want)
			}
			if made != 0 {
				if _, was := l.names[made]; was {
					t.Fatalf("call %d: %s: %#x was there before", call, what, made)
				}
				add(made)
				names = append(names, made)
			}
			if call%4 == 0 {
				l.compare(t, table, call)
			}
		}
		l.compare(t, table, -1)
		for i := range l.entries {
			if e := &l.entries[i]; !e.ended && e.above < 0 {
				wantErr(t, table.Kill(e.name), nil)
				l.end(i)
			}
		}
		l.compare(t, table, -2)
		if g := table.Stats().Gas; g.Minted != g.Spent+g.Treasury {
			t.Errorf("gas is lost: %+v", g)
		}
		wantWhole(t, table)
	})
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

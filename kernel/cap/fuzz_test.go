package cap

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pdac/kernel/rcu"
)

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

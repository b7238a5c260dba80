package cap

import (
	"errors"
	"math/rand/v2"
	"testing"
)

// model is the table as one would write it without caring for speed or concurrency: what DESIGN.md
// says, in maps.
type model struct {
	byID map[ID]*modelCap // every identifier that ever was
}

type modelCap struct {
	id     ID // the one that counts now
	parent *modelCap
	perms  Perm
	space  Space
	object Object
	dead   bool
}

// get returns the capability of an identifier, or why there is none.
func (m *model) get(id ID, need Perm) (*modelCap, error) {
	c := m.byID[id]
	switch {
	case c == nil:
		return nil, ErrNoCapability
	case c.dead || c.id != id:
		return nil, ErrRevoked
	case need&^c.perms != 0:
		return nil, ErrPermission
	}
	return c, nil
}

func (c *modelCap) below(a *modelCap) bool {
	for ; c != nil; c = c.parent {
		if c == a {
			return true
		}
	}
	return false
}

func (m *model) authorised(authority, id ID, need Perm) (*modelCap, error) {
	c, err := m.get(id, 0)
	if err != nil {
		return nil, err
	}
	a, err := m.get(authority, need)
	if err != nil {
		return nil, err
	}
	if !c.below(a) {
		return nil, ErrNotOwner
	}
	return c, nil
}

// each calls f for what is active at c or below it.
func (m *model) each(c *modelCap, f func(*modelCap)) {
	for id, x := range m.byID {
		if x.id == id && !x.dead && x.below(c) {
			f(x)
		}
	}
}

func (m *model) derive(parent ID, p Perm) (*modelCap, error) {
	c, err := m.get(parent, Delegate)
	if err == nil && p&^c.perms != 0 {
		err = ErrExceeds
	}
	return c, err
}

func (m *model) grant(authority, id ID, p Perm) error {
	c, err := m.get(id, Upgrade)
	if err != nil {
		return err
	}
	a, err := m.derive(authority, p)
	if err != nil {
		return err
	}
	if c.parent != a {
		return ErrNotOwner
	}
	c.perms |= p
	return nil
}

// Random calls give what the model gives, and leave what it leaves.
func TestModel(t *testing.T) {
	calls := 30_000
	if testing.Short() {
		calls = 3_000
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	table := newTable(t, 32*chunk)
	m := model{byID: map[ID]*modelCap{}}
	var ids []ID
	pick := func() ID {
		switch n := len(ids); {
		case n == 0 || r.IntN(50) == 0:
			return ID(r.Uint64())
		case r.IntN(4) == 0:
			return ids[r.IntN(n)]
		default:
			return ids[n-1-r.IntN(min(n, 40))] // more likely alive
		}
	}
	perms := func() Perm {
		p := Perm(r.Uint32()) & AllPerms
		for range r.IntN(3) { // most bits, or few
			p |= Perm(r.Uint32()) & AllPerms
		}
		return p
	}
	add := func(id ID, c *modelCap) {
		if m.byID[id] != nil {
			t.Fatalf("identifier %#x came back", id)
		}
		c.id = id
		m.byID[id] = c
		ids = append(ids, id)
	}
	for call := range calls {
		a, id, p, s := pick(), pick(), perms(), Space(r.Uint32N(5))
		var got, want error
		var what string
		switch n := r.IntN(20); {
		case n == 0 || len(ids) == 0:
			what = "Create"
			o := MakeObject(Type(r.Uint32()), r.Uint64()&(registered-1))
			var made ID
			if made, got = table.Create(0, s, o, p|Delegate|Revoke, Options{}); got == nil {
				add(made, &modelCap{perms: p | Delegate | Revoke, space: s, object: o})
			}
		case n < 8:
			what = "Derive"
			parent, err := m.derive(id, p)
			if err != nil && r.IntN(4) != 0 { // mostly ask for what there is
				if c, err := m.get(id, 0); err == nil {
					p &= c.perms
					parent, _ = m.derive(id, p)
				}
			}
			_, want = m.derive(id, p)
			var made ID
			if made, got = table.Derive(r.IntN(testCPUs), id, s, p, Options{}); got == nil {
				if parent == nil {
					t.Fatalf("call %d: Derive succeeds, want %v", call, want)
				}
				add(made, &modelCap{parent: parent, perms: p, space: s, object: parent.object})
			}
		case n < 11:
			what = "Grant"
			if c := m.byID[id]; c != nil && c.parent != nil && r.IntN(4) != 0 {
				a = c.parent.id
				p &= c.parent.perms
			}
			want = m.grant(a, id, p)
			got = table.Grant(a, id, p)
		case n < 13:
			what = "Narrow"
			if r.IntN(2) == 0 {
				a = id
			}
			var c *modelCap
			if c, want = m.authorised(a, id, Revoke); want == nil {
				m.each(c, func(x *modelCap) { x.perms &= p })
			}
			got = table.Narrow(a, id, p)
		case n < 15:
			what = "Transfer"
			var c *modelCap
			c, want = m.get(id, Transfer)
			var made ID
			if made, got = table.Transfer(id, s); got == nil && want == nil {
				c.space = s
				add(made, c)
			}
		case n < 17:
			var c *modelCap
			if n == 15 {
				what = "Revoke"
				c, want = m.authorised(a, id, Revoke)
				got = table.Revoke(a, id)
			} else {
				what = "Delete"
				c, want = m.authorised(id, id, Delete)
				got = table.Delete(id)
			}
			if want == nil {
				m.each(c, func(x *modelCap) { x.dead = true })
			}
		default:
			what = "Lookup"
			var c *modelCap
			c, want = m.get(id, p)
			var o Object
			o, got = table.Lookup(0, id, p)
			if got == nil && want == nil && o != c.object {
				t.Fatalf("call %d: Lookup gives %#x, want %#x", call, o, c.object)
			}
			if table.Check(id, p) != (want == nil) {
				t.Fatalf("call %d: Check is not %v", call, want == nil)
			}
		}
		if !errors.Is(got, want) || (got == nil) != (want == nil) {
			t.Fatalf("call %d: %s: error %v, want %v", call, what, got, want)
		}
		if call%997 == 0 || call == calls-1 {
			compare(t, table, &m)
		}
	}
	for id, c := range m.byID {
		if c.id == id && !c.dead && c.parent == nil {
			wantErr(t, table.Kill(id), nil)
		}
	}
	wantWhole(t, table)
}

// compare fails unless the table holds what the model does.
func compare(t *testing.T, table *Table, m *model) {
	t.Helper()
	active := 0
	for id, c := range m.byID {
		i, err := table.Info(id)
		if c.dead || c.id != id {
			wantErr(t, err, ErrRevoked)
			continue
		}
		active++
		wantErr(t, err, nil)
		parent := uint32(0)
		if c.parent != nil {
			parent = c.parent.id.Slot()
		}
		if i.Perms != c.perms || i.Space != c.space || i.Object != c.object || i.Parent != parent {
			t.Fatalf("%+v, want %+v", i, c)
		}
	}
	seen := 0
	table.Walk(func(i Info) bool {
		seen++
		if c := m.byID[i.ID]; c == nil || c.dead {
			t.Errorf("Walk finds %+v", i)
		}
		return true
	})
	if seen != active {
		t.Fatalf("Walk finds %d capabilities, want %d", seen, active)
	}
	wantTree(t, table)
}

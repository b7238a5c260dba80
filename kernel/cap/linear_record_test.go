package cap

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// caller makes random calls on the capabilities in shared places, and records them.
type caller struct {
	table   *Table
	client  int
	r       *rand.Rand
	clock   *atomic.Int64
	shared  []atomic.Uint64
	parents *sync.Map // ID of a child -> of its parent when it was derived
	history []call
}

func (c *caller) pick() ID { return ID(c.shared[c.r.IntN(len(c.shared))].Load()) }

func (c *caller) call() {
	const few = Read | Write
	root := ID(c.shared[0].Load())
	o := call{client: c.client, auth: c.pick(), id: c.pick()}
	switch n := c.r.IntN(16); {
	case n < 6:
		o.kind, o.p = check, Perm(c.r.Uint32())&few
	case n < 9:
		o.kind, o.p = derive, AllPerms&^(Perm(c.r.Uint32())&few)
	case n < 11:
		o.kind, o.p = grant, Perm(c.r.Uint32())&few
		if p, ok := c.parents.Load(o.id); ok {
			o.auth = p.(ID)
		}
	case n < 13:
		o.kind, o.p = narrow, AllPerms&^(Perm(c.r.Uint32())&(few|Delegate|Upgrade))
	case n < 14:
		o.kind = transfer
		if o.auth == root {
			return
		}
	default:
		o.kind = revoke
		if o.id == root {
			return
		}
	}
	if (o.kind == narrow || o.kind == revoke) && c.r.IntN(2) == 0 {
		o.auth = o.id
	}
	if o.kind == revoke && o.auth == o.id && c.r.IntN(2) == 0 {
		o.p = Delete
	}
	o.from = c.clock.Add(1)
	switch o.kind {
	case check:
		if c.r.IntN(2) == 0 {
			_, o.err = c.table.Lookup(c.r.IntN(testCPUs), o.id, o.p)
		} else if !c.table.Check(o.id, o.p) {
			o.err = ErrRefused // for a reason that it doesn't tell
		}
	case derive:
		o.made, o.err = c.table.Derive(c.client%testCPUs, o.auth, 1, o.p, Options{})
	case grant:
		o.err = c.table.Grant(o.auth, o.id, o.p)
	case narrow:
		o.err = c.table.Narrow(o.auth, o.id, o.p)
	case transfer:
		o.made, o.err = c.table.Transfer(o.auth, 1)
	case revoke:
		if o.p == Delete {
			o.err = c.table.Delete(o.id)
		} else {
			o.err = c.table.Revoke(o.auth, o.id)
		}
	}
	o.to = c.clock.Add(1)
	if o.err == ErrNotOwner {
		return // who is above whom doesn't change: model_test.go
	}
	c.history = append(c.history, o)
	if o.made != 0 {
		if o.kind == derive {
			c.parents.Store(o.made, o.auth)
		} else if p, ok := c.parents.Load(o.auth); ok {
			c.parents.Store(o.made, p)
		}
		c.shared[1+c.r.IntN(len(c.shared)-1)].Store(uint64(o.made))
	}
}

// recorded returns the history of some callers on a small tree.
func recorded(t *testing.T, table *Table, callers, calls int, seed uint64) []call {
	var clock atomic.Int64
	var parents sync.Map
	shared := make([]atomic.Uint64, 4)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	history := []call{{kind: create, made: root, p: AllPerms, from: clock.Add(1), to: clock.Add(1)}}
	for i := range shared {
		shared[i].Store(uint64(root))
	}
	for i := 1; i < len(shared); i++ {
		from := clock.Add(1)
		id := must(t)(table.Derive(0, ID(shared[i-1].Load()), 1, AllPerms, Options{}))
		history = append(history, call{kind: derive, auth: ID(shared[i-1].Load()), p: AllPerms, made: id, from: from, to: clock.Add(1)})
		parents.Store(id, ID(shared[i-1].Load()))
		shared[i].Store(uint64(id))
	}
	all := make([]caller, callers)
	var fs []func()
	for i := range all {
		c := &all[i]
		*c = caller{table: table, client: i, r: rand.New(rand.NewPCG(seed, uint64(i))), clock: &clock, shared: shared, parents: &parents}
		fs = append(fs, func() {
			for range calls {
				c.call()
			}
		})
	}
	together(fs...)
	for i := range all {
		history = append(history, all[i].history...)
	}
	// What there is in the end.
	for id := range familyOf(history).entry {
		for _, p := range []Perm{0, Read, Write, Delegate} {
			c := call{kind: check, id: id, p: p, from: clock.Add(1)}
			_, c.err = table.Lookup(0, id, p)
			c.to = clock.Add(1)
			history = append(history, c)
		}
	}
	wantErr(t, table.Kill(root), nil)
	return history
}

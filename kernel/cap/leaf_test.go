package cap

import (
	"errors"
	"sync/atomic"
	"testing"
)

// A root that is alone goes without a section, and nothing else does.
func TestLeaf(t *testing.T) {
	table := newTable(t, 1024)
	root := func(o Options) ID { return must(t)(table.Create(0, 1, file7, everything&^Delete, o)) }
	parent := root(Options{})
	child := must(t)(table.Derive(0, parent, 1, Read|Revoke, Options{}))
	dead := root(Options{})
	wantErr(t, table.Kill(dead), nil)
	for name, c := range map[string]struct {
		id   ID
		need Perm
		want bool
	}{
		"alone":              {root(Options{}), Revoke, true},
		"without permission": {root(Options{}), Delete, false},
		"with a formula":     {root(Options{Formula: &Formula{Uses: 5}}), Revoke, false},
		"with gas":           {root(Options{Gas: 5}), Revoke, false},
		"a parent":           {parent, Revoke, false},
		"a child":            {child, Revoke, false},
		"dead":               {dead, Revoke, false},
		"another tag":        {root(Options{}) ^ 1<<40, Revoke, false},
		"no slot":            {ID(slotMask), 0, false},
	} {
		var before uint64
		if c.id.Slot() < table.limit.Load() {
			before = table.at(c.id.Slot()).word.Load()
		}
		if got := table.cutLeaf(c.id, c.need); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
		if c.id.Slot() < table.limit.Load() && (table.at(c.id.Slot()).word.Load() != before) != c.want {
			t.Errorf("%s: the word changed, or should have", name)
		}
	}
}

// Both ways count alike, and give the slot and the object back.
func TestLeafCounts(t *testing.T) {
	table := newTable(t, 1024)
	for _, o := range []Options{{}, {Gas: 1}} {
		released := false
		object, err := table.Register(typePort, 1, func() { released = true })
		wantErr(t, err, nil)
		id := must(t)(table.Create(0, 1, object, everything, o))
		table.Unregister(object)
		before := table.Stats()
		wantErr(t, table.Revoke(id, id), nil)
		after := table.Stats()
		if after.Revoked != before.Revoked+1 || after.Used != before.Used-1 || !released {
			t.Errorf("%+v: %+v, then %+v, released: %t", o, before, after, released)
		}
		wantErr(t, table.Revoke(id, id), ErrRevoked)
	}
	wantWhole(t, table)
}

// A Derive below a root that is revoked as a leaf, stopped after it linked the child: which was seen, or came
// after the look.
func TestLeafGetsChild(t *testing.T) {
	for _, seen := range []bool{true, false} {
		table := newTable(t, 1024)
		root := must(t)(table.Create(0, 1, file7, everything, Options{}))
		d := startDerive(t, table, root, Read)
		cut := func() {
			if !table.cutLeaf(root, Revoke) {
				t.Error("not taken for a leaf")
			}
		}
		if seen {
			// It comes between the two looks at first: as if the first had been earlier.
			slot, first := root.Slot(), &table.cold[root.Slot()].first
			child := first.Swap(0)
			w := table.at(slot).word.Load()
			if !table.change(slot, w, join(root, revoked)) {
				t.Fatal("not changed")
			}
			first.Store(child)
			table.cutBelow(slot)
			if table.at(d.id.Slot()).word.Load() != join(d.id, revoked) {
				t.Error("the child lives")
			}
		} else {
			d.unlinkFor(table, cut)
		}
		d.finish(t, table, ErrRevoked)
		table.reclaimBelow(0, root.Slot())
		table.tally(0, finished, 1)
		table.release(0, root.Slot())
		wantWhole(t, table)
	}
}

// Nothing that was derived below a root passes after its Revoke returned, and every slot comes back.
func TestLeafAgainstDerive(t *testing.T) {
	table := newTable(t, 4096)
	for range times(t, 5000) {
		root := must(t)(table.Create(0, 1, file7, everything, Options{}))
		var over atomic.Bool
		var ids [2]ID
		derive := func(i int) func() {
			return func() {
				was := over.Load()
				id, err := table.Derive(i, root, 1, everything, Options{})
				if err == nil && was || err != nil && !errors.Is(err, ErrRevoked) {
					t.Errorf("Derive: %v, after the Revoke: %t", err, was)
				}
				ids[i] = id
			}
		}
		together(derive(0), derive(1), func() {
			wantErr(t, table.Revoke(root, root), nil)
			over.Store(true)
		})
		for _, id := range ids {
			if table.Check(id, 0) {
				t.Fatal("escaped")
			}
		}
	}
	wantWhole(t, table)
}

// Of several that revoke the same root one succeeds, and the slot comes back once.
func TestLeafAgainstItself(t *testing.T) {
	table := newTable(t, 1024)
	for range times(t, 5000) {
		root := must(t)(table.Create(0, 1, file7, everything, Options{}))
		var done atomic.Int32
		revoke := func() {
			switch err := table.Revoke(root, root); {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, ErrRevoked):
				t.Error(err)
			}
		}
		together(revoke, revoke, func() {
			if table.Kill(root) == nil {
				done.Add(1)
			}
		})
		if done.Load() != 1 {
			t.Fatalf("%d revoked it", done.Load())
		}
	}
	wantWhole(t, table)
}

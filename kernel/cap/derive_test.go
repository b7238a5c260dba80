package cap

import (
	"errors"
	"testing"
)

func TestDerive(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, Read|Write|Delegate, Options{}))
	child := must(t)(table.Derive(1, root, 2, Read|Delegate, Options{}))
	leaf := must(t)(table.Derive(2, child, 3, Read, Options{}))
	if o, err := table.Lookup(0, leaf, Read); err != nil || o != file7 {
		t.Errorf("Lookup: %#x, %v", o, err)
	}
	_, err := table.Derive(0, child, 2, Read|Write|Execute, Options{})
	if e := (*ExceedsError)(nil); !errors.As(err, &e) || e.Excess != Write|Execute {
		t.Errorf("error %v", err)
	}
	_, err = table.Derive(0, leaf, 2, Read, Options{})
	if e := (*PermissionError)(nil); !errors.As(err, &e) || e.Missing != Delegate {
		t.Errorf("error %v", err)
	}
	i, err := table.Info(leaf)
	if err != nil || i.Parent != child.Slot() || i.Space != 3 || i.Perms != Read {
		t.Errorf("Info: %+v, %v", i, err)
	}
	if used := wantTree(t, table); used != 3 {
		t.Errorf("%d slots used, want 3", used)
	}
}

func TestNarrow(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	a := must(t)(table.Derive(0, root, 2, Read|Write|Delegate, Options{}))
	b := must(t)(table.Derive(0, a, 2, Read|Write, Options{}))
	wantErr(t, table.Narrow(a, b, Read), ErrPermission)
	wantErr(t, table.Narrow(root, a, Read|Delegate), nil)
	for _, id := range []ID{a, b} {
		if !table.Check(id, Read) || table.Check(id, Write) {
			t.Error("wrong permissions after Narrow")
		}
	}
	if !table.Check(a, Delegate) || !table.Check(root, AllPerms) {
		t.Error("too much was taken")
	}
	wantErr(t, table.Narrow(b, a, 0), ErrPermission)
	c := must(t)(table.Derive(0, root, 2, AllPerms, Options{}))
	wantErr(t, table.Narrow(c, a, 0), ErrNotOwner)
	wantTree(t, table)
}

func TestGrant(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, Read|Write|Delegate|Upgrade|Revoke, Options{}))
	a := must(t)(table.Derive(0, root, 2, Read|Upgrade|Delegate, Options{}))
	b := must(t)(table.Derive(0, a, 2, Upgrade, Options{}))
	wantErr(t, table.Grant(root, b, Read), ErrNotOwner)
	wantErr(t, table.Grant(a, b, Write), ErrExceeds)
	wantErr(t, table.Grant(root, a, Execute), ErrExceeds)
	wantErr(t, table.Grant(root, a, Write), nil)
	wantErr(t, table.Grant(a, b, Write), nil)
	wantErr(t, table.Grant(a, b, Write), nil)
	if !table.Check(b, Write|Upgrade) || table.Check(b, Read) {
		t.Error("wrong permissions after Grant")
	}
	c := must(t)(table.Derive(0, root, 2, Read, Options{}))
	wantErr(t, table.Grant(root, c, Write), ErrPermission)
	wantErr(t, table.Grant(b, b, Write), ErrPermission)
	wantErr(t, table.Narrow(root, root, Read|Delegate), nil)
	wantErr(t, table.Grant(root, a, Write), ErrPermission) // Upgrade went
	wantTree(t, table)
}

// A second Grant to the same capability fails while one is under way.
func TestGrantBusy(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	a := must(t)(table.Derive(0, root, 2, Upgrade|Transfer, Options{}))
	word := &table.at(a.Slot()).word
	word.Store(word.Load() ^ uint64(pending)) // as if a Grant had been stopped here
	wantErr(t, table.Grant(root, a, Read), ErrBusy)
	if !table.Check(a, Upgrade) {
		t.Error("PENDING keeps checks from passing")
	}
	wantErr(t, table.Narrow(root, root, AllPerms&^Write), nil)
	if _, s := split(word.Load(), a.Slot()); s&dirty == 0 {
		t.Error("Narrow passed without a trace")
	}
	b := must(t)(table.Transfer(a, 2))
	wantErr(t, table.Grant(root, b, Read), nil) // the flags went with the identifier
}

func TestTransfer(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	a := must(t)(table.Derive(0, root, 2, Read|Transfer|Delegate|Upgrade, Options{}))
	b := must(t)(table.Derive(0, a, 2, Read, Options{}))
	_, err := table.Transfer(b, 3)
	wantErr(t, err, ErrPermission)
	n := must(t)(table.Transfer(a, 3))
	if n == a || table.Check(a, 0) || !table.Check(n, Read|Transfer|Delegate) || !table.Check(b, Read) {
		t.Error("wrong identifiers pass")
	}
	_, err = table.Lookup(0, a, Read)
	wantErr(t, err, ErrRevoked)
	if i, err := table.Info(n); err != nil || i.Space != 3 || i.Object != file7 || i.Parent != root.Slot() {
		t.Errorf("Info: %+v, %v", i, err)
	}
	must(t)(table.Derive(0, n, 2, Read, Options{}))
	wantErr(t, table.Revoke(root, n), nil)
	if table.Check(b, 0) {
		t.Error("the subtree stayed")
	}
	wantErr(t, table.Delete(root), nil)
	wantWhole(t, table)
}

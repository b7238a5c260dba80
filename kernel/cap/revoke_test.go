package cap

import "testing"

func TestRevoke(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	a := must(t)(table.Derive(0, root, 2, AllPerms&^Revoke, Options{}))
	b := must(t)(table.Derive(0, root, 2, AllPerms, Options{}))
	aa := must(t)(table.Derive(0, a, 3, Read, Options{}))

	wantErr(t, table.Revoke(b, a), ErrNotOwner)
	wantErr(t, table.Revoke(aa, a), ErrPermission)
	wantErr(t, table.Revoke(a, aa), ErrPermission)
	wantErr(t, table.Delete(aa), ErrPermission)
	if !table.Check(aa, Read) || !table.Check(a, Read) {
		t.Fatal("an error changed something")
	}
	wantErr(t, table.Revoke(root, a), nil)
	for _, id := range []ID{a, aa} {
		if table.Check(id, 0) {
			t.Error("passes after Revoke")
		}
		_, err := table.Lookup(0, id, 0)
		wantErr(t, err, ErrRevoked)
		wantErr(t, table.Revoke(root, id), ErrRevoked)
		_, err = table.Derive(0, id, 1, 0, Options{})
		wantErr(t, err, ErrRevoked)
		wantErr(t, table.Grant(root, id, Read), ErrRevoked)
		wantErr(t, table.Narrow(root, id, Read), ErrRevoked)
		_, err = table.Transfer(id, 1)
		wantErr(t, err, ErrRevoked)
	}
	if !table.Check(b, AllPerms) {
		t.Error("a sibling was revoked")
	}
	// The slots have new tenants, and the old identifiers still tell what they were.
	for range 3 {
		must(t)(table.Derive(0, b, 2, 0, Options{}))
	}
	_, err := table.Lookup(0, aa, 0)
	wantErr(t, err, ErrRevoked)
	wantErr(t, table.Revoke(root, root), nil)
	wantWhole(t, table)
}

// A slot whose generations are used up is not used again, nor transferred.
func TestRetirement(t *testing.T) {
	table := onCPU0(newTable(t, 1024))
	first := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	slot := first.Slot()
	wantErr(t, table.Delete(first), nil)
	table.cold[slot].generation.Store(lastGeneration - 2)
	a := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	if a.Slot() != slot {
		t.Fatalf("slot %d, want the one freed last, %d", a.Slot(), slot)
	}
	b := must(t)(table.Transfer(a, 2))
	_, err := table.Transfer(b, 3)
	wantErr(t, err, ErrFull)
	wantErr(t, table.Delete(b), nil)
	if s := table.Stats(); s.Retired != 1 {
		t.Errorf("%d slots retired, want 1", s.Retired)
	}
	for range 1022 {
		if id := must(t)(table.Create(0, 1, file7, AllPerms, Options{})); id.Slot() == slot {
			t.Fatal("a retired slot was used")
		}
	}
	_, err = table.Create(0, 1, file7, AllPerms, Options{})
	wantErr(t, err, ErrFull)
}

func TestEndSpace(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	a := must(t)(table.Derive(0, root, 2, AllPerms, Options{}))
	aa := must(t)(table.Derive(0, a, 2, AllPerms, Options{}))
	other := must(t)(table.Derive(0, aa, 3, AllPerms, Options{}))
	b := must(t)(table.Derive(0, root, 3, AllPerms, Options{}))
	if n, err := table.EndSpace(2); err != nil || n < 1 || n > 2 {
		t.Errorf("%d, %v", n, err)
	}
	for _, id := range []ID{a, aa, other} {
		if table.Check(id, 0) {
			t.Error("passes after its space's end")
		}
	}
	if !table.Check(root, 0) || !table.Check(b, 0) {
		t.Error("another space's was revoked")
	}
	wantErr(t, table.Kill(root), nil)
	wantWhole(t, table)
}

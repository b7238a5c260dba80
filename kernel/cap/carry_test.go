package cap

import "testing"

// TestGrantsAsAdmit: where Grants says yes, so does Admit, and it says yes where there is nothing to ask.
func TestGrantsAsAdmit(t *testing.T) {
	table := newTable(t, 1<<12)
	plain := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	child := must(t)(table.Derive(0, plain, 1, Read, Options{}))
	timed := must(t)(table.Derive(0, plain, 1, AllPerms, Options{Formula: &Formula{ExpiresAt: 1 << 62}}))
	dead := must(t)(table.Derive(0, plain, 1, AllPerms, Options{}))
	wantErr(t, table.Revoke(plain, dead), nil)
	for _, c := range []struct {
		id   ID
		typ  Type
		need Perm
		want bool
	}{
		{plain, typeFile, AllPerms, true}, {child, typeFile, Read, true}, {child, typeFile, 0, true},
		{plain, typePort, Read, false}, {child, typeFile, Read | Write, false}, {timed, typeFile, Read, false},
		{dead, typeFile, 0, false}, {0, typeFile, 0, false}, {plain ^ 1<<40, typeFile, 0, false}, {ID(slotMask), typeFile, 0, false},
	} {
		o, ok := table.Grants(c.id, &Demand{Type: c.typ, Need: c.need})
		if ok != c.want || ok && o != file7 {
			t.Errorf("%#x: %#x, %v, want some: %v", c.id, o, ok, c.want)
		}
		if a, err := table.Admit(0, c.id, c.typ, c.need, 0); ok && (err != nil || a != o) {
			t.Errorf("%#x: Admit says %#x, %v", c.id, a, err)
		}
	}
}

func TestCarryIsTransferAtOnce(t *testing.T) {
	table := newTable(t, 1<<12)
	id := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	section := table.rcu.ReadLock(0) // Transfer would wait for it
	moved := must(t)(table.Carry(id, 9))
	table.rcu.ReadUnlock(section)
	if table.Check(id, 0) || !table.Check(moved, AllPerms) {
		t.Error("the wrong one passes")
	}
	if i, err := table.Info(moved); err != nil || i.Space != 9 {
		t.Errorf("%+v, %v", i, err)
	}
	_, err := table.Carry(id, 9)
	wantErr(t, err, ErrRevoked)
	if g, h := table.Generation(id), table.Generation(moved); g != 1 || h != 2 {
		t.Errorf("generations %d and %d", g, h)
	}
	if g := table.Generation(moved ^ 1<<50); g != 0 {
		t.Errorf("generation %d of what never was", g)
	}
}

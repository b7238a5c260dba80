package cap

import "testing"

// A table that is full of tombs refuses one call, and has room for those that come a grace period
// later.
func TestRoomForTombs(t *testing.T) {
	for name, one := range map[string]func(table *Table, root ID) (ID, error){
		"Create": func(table *Table, _ ID) (ID, error) { return table.Create(0, 1, file7, Read, Options{}) },
		"Derive": func(table *Table, root ID) (ID, error) { return table.Derive(0, root, 1, Read, Options{}) },
		"Derive in a section": func(table *Table, root ID) (ID, error) {
			defer table.rcu.ReadUnlock(table.rcu.ReadLock(0))
			return table.Derive(0, root, 1, Read, Options{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := newTable(t, chunk)
			root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
			var ids []ID
			for range chunk - 2 {
				ids = append(ids, must(t)(table.Derive(0, root, 1, Delete, Options{})))
			}
			const tombs = 50
			for _, id := range ids[:1+tombs] { // the first is swept at once
				wantErr(t, table.Delete(id), nil)
			}
			must(t)(one(table, root))
			if n := table.cold[root.Slot()].tombs.Load(); n != tombs {
				t.Fatalf("%d tombs, want %d", n, tombs)
			}
			_, err := one(table, root)
			wantErr(t, err, ErrFull)
			table.rcu.Barrier()
			for range tombs {
				must(t)(one(table, root))
			}
			_, err = one(table, root)
			wantErr(t, err, ErrFull) // really
			table.rcu.Barrier()
			if table.sweeping.Load() {
				t.Error("nobody can sweep any more")
			}
			for slot := uint32(1); slot < table.limit.Load(); slot++ {
				if i, ok := table.info(slot); ok && i.Parent == 0 {
					wantErr(t, table.Kill(i.ID), nil)
				}
			}
			wantWhole(t, table)
		})
	}
}

// Sweeps of all lists, against those who fill and empty them.
func TestRoomAgainstRevoke(t *testing.T) {
	table := newTable(t, chunk)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	work := func() {
		for range times(t, 300) {
			parent, err := table.Derive(0, root, 1, AllPerms, Options{})
			if err != nil {
				wantErr(t, err, ErrFull)
				continue
			}
			var ids []ID
			for range 300 {
				id, err := table.Derive(0, parent, 1, Delete, Options{})
				if err != nil {
					wantErr(t, err, ErrFull)
					break
				}
				ids = append(ids, id)
			}
			for _, id := range ids[:len(ids)/2] {
				wantErr(t, table.Delete(id), nil)
			}
			wantErr(t, table.Revoke(root, parent), nil)
		}
	}
	together(work, work, work, func() {
		for range times(t, 300) {
			table.makeRoom()
			table.rcu.Barrier()
		}
	})
	wantErr(t, table.Kill(root), nil)
	wantWhole(t, table)
}

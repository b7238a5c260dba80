package cap

import "testing"

// Find never says more than Lookup, and the same where nothing is to be asked.
func TestFindAgainstLookup(t *testing.T) {
	table := newTable(t, 4*chunk)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	reader := must(t)(table.Derive(0, root, 1, Read, Options{}))
	asked := must(t)(table.Derive(0, root, 1, AllPerms, Options{Formula: &Formula{Uses: 100}}))
	gone := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
	wantErr(t, table.Revoke(root, gone), nil)
	unbacked := makeID(table.limit.Load(), 1)
	for _, id := range []ID{root, reader, asked, gone, gone + 1<<slotBits, unbacked, 0} {
		for _, need := range []Perm{0, Read, Write, Read | Write, AllPerms, AllPerms + 1} {
			o, ok := table.Find(id, need)
			l, err := table.Lookup(0, id, need)
			switch {
			case ok && (err != nil || o != l):
				t.Errorf("Find(%#x, %v) = %#x, Lookup %#x, %v", id, need, o, l, err)
			case !ok && err == nil && id != asked:
				t.Errorf("Find(%#x, %v) fails, and Lookup has nothing to ask", id, need)
			case ok && id == asked:
				t.Error("Find passes by a formula")
			case ok != table.Holds(id, need):
				t.Errorf("Find(%#x, %v) = %t, Holds not", id, need, ok)
			}
		}
	}
}

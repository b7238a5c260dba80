package cap

import (
	"sync/atomic"
	"testing"
)

// Interleavings that were looked for with the arguments of the files in hand. Those that race_test.go
// and step_test.go have are not repeated.

// The generation of a slot's word is never ahead of what the slot says is the latest. Were it, a
// Transfer of what Walk shows, within a Transfer that has not returned, could be followed by the
// late store of the first one's generation, and the slot's next tenant would get an identifier
// that was there before.
func TestGenerationIsNeverBehindItsWord(t *testing.T) {
	table := newTable(t, 1024)
	id := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	slot := id.Slot()
	var stop atomic.Bool
	ahead := 0
	together(func() {
		for range times(t, 20_000) {
			var err error
			if id, err = table.Transfer(id, 2); err != nil {
				t.Errorf("Transfer: %v", err)
				break
			}
		}
		stop.Store(true)
	}, func() {
		for !stop.Load() {
			w, latest := table.at(slot).word.Load(), table.cold[slot].generation.Load()
			if now, _ := split(w, slot); table.tags.generation(slot, now.tag()) > latest {
				ahead++
			}
		}
	})
	if ahead > 0 {
		t.Errorf("%d times the identifier was of a generation that was still to come", ahead)
	}
}

// Whoever transfers what Walk shows, while others do, never gets an identifier that was there.
func TestTransferOfWhatWalkShows(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
	var all [3][]ID
	var fs []func()
	for i := range all {
		fs = append(fs, func() {
			for range times(t, 3000) {
				var shown ID
				table.Walk(func(info Info) bool {
					shown = info.ID
					return shown.Slot() == root.Slot()
				})
				moved, err := table.Transfer(shown, Space(i))
				if err == nil {
					all[i] = append(all[i], moved)
				}
			}
		})
	}
	together(fs...)
	seen := map[ID]bool{}
	for _, ids := range all {
		for _, id := range ids {
			if seen[id] {
				t.Fatalf("identifier %#x came back", id)
			}
			seen[id] = true
		}
	}
	if len(seen) == 0 {
		t.Error("nothing was transferred")
	}
}

// A Lookup outside of a read section finds its capability and is stopped. That is revoked, which
// the caches need not be told yet. The Lookup begins to fill a cell, loads the object, and is stopped
// again; the slot gets another tenant, and the word that it loads then is the other's, of which no
// cache is told either. The copy must not be taken for the other's, whose object it hasn't.
func TestCacheFillAcrossTenants(t *testing.T) {
	table := onCPU0(cachedTable(t))
	early := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	c := table.cell(0, early.Slot())
	wantErr(t, table.Kill(early), nil)
	guard, _ := table.beginFill(c, early.Slot())
	port := MakeObject(typePort, 8)
	late := must(t)(table.Create(0, 1, port, AllPerms, Options{}))
	if late.Slot() != early.Slot() {
		t.Fatal("the slot is not used again")
	}
	table.endFill(c, guard, early)
	if table.at(late.Slot()).word.Load() == c.entry.word.Load() {
		t.Error("copied an entry under an identifier that it hasn't")
	}
	if c.guard.Load()&(fresh|filling) != 0 {
		t.Error("the cell counts")
	}
	for range 10 * fillShare {
		if o, err := table.Lookup(0, late, Read); err != nil || o != port {
			t.Fatalf("object %#x, %v", o, err)
		}
	}
}

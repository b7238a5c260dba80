package cap

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"pdac/kernel/rcu"
)

// warm looks an identifier up until the CPU's cache has it.
func warm(t testing.TB, table *Table, cpu int, id ID) {
	t.Helper()
	c := table.cell(cpu, id.Slot())
	for range 100 * fillShare {
		if _, err := table.Lookup(cpu, id, 0); err != nil {
			t.Fatal(err)
		}
		if uint32(c.guard.Load())&(oneFill-1) == id.Slot()|fresh {
			return
		}
	}
	t.Fatal("looked up many times and not in the cache")
}

func cachedTable(t testing.TB) *Table {
	table := newTable(t, 4*chunk)
	table.SetCacheAbove(1)
	return table
}

// changes are all that must be told to the caches, with the permission that each takes.
var changes = map[string]func(t *Table, id, parent ID) error{
	"Revoke":        func(t *Table, id, parent ID) error { return t.Revoke(id, id) },
	"Revoke parent": func(t *Table, id, parent ID) error { return t.Revoke(parent, parent) },
	"Delete":        func(t *Table, id, parent ID) error { return t.Delete(id) },
	"Kill":          func(t *Table, id, parent ID) error { return t.Kill(id) },
	"Narrow":        func(t *Table, id, parent ID) error { return t.Narrow(id, id, AllPerms&^Write) },
	"Narrow parent": func(t *Table, id, parent ID) error { return t.Narrow(parent, parent, AllPerms&^Write) },
	"Transfer":      func(t *Table, id, parent ID) error { _, err := t.Transfer(id, 2); return err },
	"EndSpace":      func(t *Table, id, parent ID) error { _, err := t.EndSpace(7); return err },
}

// After a change no CPU's cache answers; and if it isn't told, it does: so this test could fail.
func TestCacheIsTold(t *testing.T) {
	for name, change := range changes {
		for _, deaf := range []bool{false, true} {
			table := cachedTable(t)
			table.deaf = deaf
			parent := must(t)(table.Create(0, 1, file7, everything, Options{}))
			id := must(t)(table.Derive(0, parent, 7, everything, Options{}))
			for cpu := range testCPUs {
				warm(t, table, cpu, id)
			}
			if err := change(table, id, parent); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for cpu := range testCPUs {
				o, err := table.Lookup(cpu, id, Write)
				switch {
				case !deaf && (err == nil || o != 0):
					t.Errorf("%s: CPU %d's cache still answers", name, cpu)
				case deaf && (err != nil || o != file7):
					t.Errorf("%s: CPU %d's cache is deaf and yet gives %v", name, cpu, err)
				}
			}
		}
	}
}

// The steps of a fill and of a change, in every order that matters.
func TestCacheFillAgainstChange(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		setup := func() (*Table, ID, *cell) {
			table := cachedTable(t)
			table.deaf = deaf
			id := must(t)(table.Create(0, 1, file7, everything, Options{}))
			return table, id, table.cell(0, id.Slot())
		}
		hit := func(table *Table, id ID) bool {
			_, err := table.Lookup(0, id, Read)
			return err == nil
		}

		// The copy is made, and the change comes before it counts.
		table, id, c := setup()
		guard, _ := table.beginFill(c, id.Slot())
		c.entry.object.Store(table.at(id.Slot()).object.Load())
		before := table.at(id.Slot()).word.Load()
		if err := table.Kill(id); err != nil {
			t.Fatal(err)
		}
		if hit(table, id) {
			t.Errorf("deaf=%t: hit in a cell that is being filled", deaf)
		}
		if _, ok := table.beginFill(c, id.Slot()); ok {
			t.Errorf("deaf=%t: two fill a cell", deaf)
		}
		c.publish(guard, before)
		if got := hit(table, id); got != deaf {
			t.Errorf("deaf=%t: change before the end of a fill: hit is %t", deaf, got)
		}

		// The change comes before the copy, and is told before or not at all.
		table, id, c = setup()
		if err := table.Kill(id); err != nil {
			t.Fatal(err)
		}
		guard, _ = table.beginFill(c, id.Slot())
		table.endFill(c, guard, id)
		if hit(table, id) {
			t.Errorf("deaf=%t: a fill after the change", deaf)
		}
	}
}

// A copy is of one entry, also when its cell is filled for another while it is read.
func TestCacheCopyIsWhole(t *testing.T) {
	table := newTable(t, 64*chunk)
	table.SetCacheAbove(1)
	first := must(t)(table.Create(0, 1, file7, everything, Options{}))
	c := table.cell(0, first.Slot())
	other := first
	for ref := uint64(1000); other == first; ref++ {
		id := must(t)(table.Create(0, 1, MakeObject(typeFile, ref), everything, Options{}))
		if table.cell(0, id.Slot()) == c {
			other = id
		}
	}
	want, err := table.Info(other)
	if err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	reader := func(id ID, o Object) func() {
		return func() {
			for !stop.Load() {
				if got, err := table.Lookup(0, id, Read); err != nil || got != o {
					t.Errorf("object %#x, %v; want %#x", got, err, o)
					return
				}
			}
		}
	}
	together(reader(first, file7), reader(other, want.Object), func() {
		defer stop.Store(true)
		for i := range times(t, 500_000) {
			id := first
			if i%2 == 0 {
				id = other
			}
			if guard, ok := table.beginFill(c, id.Slot()); ok {
				table.endFill(c, guard, id)
			}
		}
	})
}

// A cell that was told is filled again, by the slot's next tenant as well.
func TestCacheRecovers(t *testing.T) {
	table := cachedTable(t)
	root := must(t)(table.Create(0, 1, file7, everything, Options{}))
	for range 3 {
		id := must(t)(table.Derive(0, root, 1, Read|Upgrade, Options{}))
		warm(t, table, 1, id)
		if _, err := table.Lookup(1, id, Write); err == nil {
			t.Error("more than it has")
		}
		if err := table.Grant(root, id, Write); err != nil {
			t.Fatal(err)
		}
		if _, err := table.Lookup(1, id, Write); err != nil {
			t.Errorf("granted, and the cache doesn't know: %v", err)
		}
		if err := table.Narrow(root, id, Read|Upgrade); err != nil {
			t.Fatal(err)
		}
		warm(t, table, 1, id)
		if err := table.Revoke(root, id); err != nil {
			t.Fatal(err)
		}
		table.rcu.Barrier()
	}
	if s := table.Stats().Cache; s.Fills == 0 || s.Misses < s.Fills {
		t.Errorf("%+v", s)
	}
}

// An empty cell looks like one for identifier 0, which is none.
func TestCacheEmpty(t *testing.T) {
	table := cachedTable(t)
	must(t)(table.Create(0, 1, file7, everything, Options{}))
	for cpu := range testCPUs {
		for _, id := range []ID{0, 1, makeID(0, 1), makeID(1, 0)} {
			if o, err := table.Lookup(cpu, id, 0); err == nil {
				t.Errorf("CPU %d: identifier %#x is for %#x", cpu, id, o)
			}
		}
	}
}

// A formula or an account is asked each time, also when it came in later.
func TestCacheLeavesFormulas(t *testing.T) {
	table := cachedTable(t)
	id := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{Uses: 300}}))
	passed := 0
	for range 400 {
		if _, err := table.Lookup(0, id, Read); err == nil {
			passed++
		}
	}
	if passed != 300 || table.Stats().Cache.Fills != 0 {
		t.Errorf("%d of 300 uses, %d fills", passed, table.Stats().Cache.Fills)
	}
}

func TestCacheThreshold(t *testing.T) {
	table := newTable(t, 4*chunk)
	id := must(t)(table.Create(0, 1, file7, everything, Options{}))
	used := func(bytes int64) bool {
		table.SetCacheAbove(bytes)
		before := table.Stats().Cache.Misses
		for range 200 {
			table.cell(0, id.Slot()).guard.And(^uint64(fresh)) // so that none hits
			table.Lookup(0, id, Read)
		}
		return table.Stats().Cache.Misses > before
	}
	full := int64(table.Stats().Backed) * int64(entryBytes)
	for bytes, want := range map[int64]bool{0: false, -1: false, 1: true, full - 16: true, full: false, 1 << 62: false} {
		if got := used(bytes); got != want {
			t.Errorf("above %d bytes, with %d: used is %t", bytes, full, got)
		}
	}
}

// What a check has refused no cache gives any more, also while the Revoke is under way. There are
// many caches, so that it takes the Revoke some time to tell them all.
func TestCacheAgreesWithTable(t *testing.T) {
	const cpus = 64
	for _, deaf := range []bool{false, true} {
		table, err := New(Config{
			Slots: 4 * chunk, CPUs: cpus, CacheAbove: 1,
			Now: func() uint64 { return 0 }, RCU: rcu.New(rcu.Config{CPUs: cpus}),
			Reserve: func(bytes int) ([]byte, error) { return make([]byte, bytes), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		table.deaf = deaf
		root := must(t)(table.Create(0, 1, file7, everything, Options{}))
		var at, bad atomic.Uint64
		given := func(id ID) {
			for cpu := cpus - 1; cpu >= 0; cpu-- { // the last is told last
				if _, err := table.Lookup(cpu, id, Write); err == nil {
					bad.Add(1)
				}
			}
		}
		together(func() {
			for id := ID(at.Load()); id != root; id = ID(at.Load()) {
				if !table.Holds(id, Write) {
					given(id)
				}
			}
		}, func() {
			defer at.Store(uint64(root))
			for i := range times(t, 20_000) {
				id, err := table.Derive(0, root, 1, everything, Options{})
				if err != nil {
					t.Error(err)
					return
				}
				for cpu := range cpus {
					c := table.cell(cpu, id.Slot())
					if guard, ok := table.beginFill(c, id.Slot()); ok {
						table.endFill(c, guard, id)
					}
				}
				at.Store(uint64(id))
				runtime.Gosched()
				if i%2 == 0 {
					err = table.Narrow(root, id, everything&^Write)
					given(id)
				}
				if err := errors.Join(err, table.Revoke(root, id)); err != nil {
					t.Error(err)
					return
				}
			}
		})
		if wrong := bad.Load() != 0; wrong != deaf {
			t.Errorf("deaf=%t: %d times given after it was refused", deaf, bad.Load())
		}
	}
}

// While a word is being changed no cache answers and none is filled, and the table does.
func TestCacheDuringChange(t *testing.T) {
	table := cachedTable(t)
	id := must(t)(table.Create(0, 1, file7, everything, Options{}))
	warm(t, table, 0, id)
	table.changing[place(id.Slot())].Add(1)
	table.invalidate(id.Slot())
	fills := table.Stats().Cache.Fills
	for range 20 * fillShare {
		if _, err := table.Lookup(0, id, Write); err != nil {
			t.Fatalf("nothing has changed yet: %v", err)
		}
	}
	if guard := table.cell(0, id.Slot()).guard.Load(); guard&fresh != 0 {
		t.Errorf("guard %#x: filled while the word is being changed", guard)
	}
	if table.Stats().Cache.Fills == fills {
		t.Error("no fill was tried")
	}
	table.changing[place(id.Slot())].Add(^uint32(0))
	warm(t, table, 0, id)
}

// cacheTorture lets capabilities be looked up through all caches while they are revoked, narrowed
// and transferred, and returns how often one passed that must not.
func cacheTorture(t *testing.T, rounds int, deaf bool) (wrong int64) {
	table := cachedTable(t)
	table.deaf = deaf
	root := must(t)(table.Create(0, 1, file7, everything, Options{}))
	const places = 8
	type place struct{ id, gone atomic.Uint64 } // gone: must not write any more
	var at [places]place
	var stop atomic.Bool
	var bad atomic.Int64
	for i := range at {
		at[i].id.Store(uint64(must(t)(table.Derive(0, root, 1, everything, Options{}))))
	}
	reader := func(cpu int) func() {
		return func() {
			for i := 0; !stop.Load(); i++ {
				p := &at[i%places]
				gone := p.gone.Load() // before the Lookup begins
				if _, err := table.Lookup(cpu, ID(gone), Write); err == nil {
					bad.Add(1)
				}
				table.Lookup(cpu, ID(p.id.Load()), Write)
			}
		}
	}
	writer := func() {
		defer stop.Store(true)
		for range rounds {
			p := &at[rand.IntN(places)]
			id := ID(p.id.Load())
			for range 2 * fillShare {
				table.Lookup(rand.IntN(testCPUs), id, Write)
			}
			var err error
			switch rand.IntN(3) {
			case 0:
				err = table.Revoke(root, id)
			case 1:
				err = table.Narrow(root, id, everything&^Write)
			case 2:
				_, err = table.Transfer(id, 2)
			}
			if err != nil {
				t.Error(err)
			}
			p.gone.Store(uint64(id))
			for cpu := range testCPUs {
				if _, err := table.Lookup(cpu, id, Write); err == nil {
					bad.Add(1)
				}
			}
			child, err := table.Derive(0, root, 1, everything, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			p.id.Store(uint64(child))
		}
	}
	together(reader(0), reader(1), reader(1), reader(2), writer)
	return bad.Load()
}

func TestCacheTorture(t *testing.T) {
	if wrong := cacheTorture(t, times(t, 1000), false); wrong != 0 {
		t.Errorf("passed %d times after it was taken away", wrong)
	}
	if wrong := cacheTorture(t, times(t, 1000), true); wrong == 0 {
		t.Error("caches that aren't told make no difference: the torture shows nothing")
	}
}

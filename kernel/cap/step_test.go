package cap

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// What race_test.go leaves to chance, step by step: a Derive or a Grant that is stopped between two
// of its steps, and what comes between. Nothing waits here, so no read section is needed.

// stoppedDerive is a Derive between linking and publishing.
type stoppedDerive struct {
	parent, id ID
	word       uint64
	p          Perm
}

func startDerive(t *testing.T, table *Table, parent ID, p Perm) stoppedDerive {
	t.Helper()
	s, err := table.delegable(parent, p)
	wantErr(t, err, nil)
	id, word, err := table.link(0, parent.Slot(), s, 1, p, Options{})
	wantErr(t, err, nil)
	return stoppedDerive{parent, id, word, p}
}

// finish goes on, and fails unless Derive gives this error, and the capability is there without one.
func (d stoppedDerive) finish(t *testing.T, table *Table, want error) {
	t.Helper()
	if table.Check(d.id, 0) {
		t.Error("passes before it is published")
	}
	err := table.publish(d.parent, d.id, d.word, d.p)
	wantErr(t, err, want)
	if err != nil {
		var out list
		table.abandon(0, d.id.Slot(), &out)
		table.unlinked(0, out)
	}
	if table.Check(d.id, 0) != (want == nil) {
		t.Errorf("passes: %v", want != nil)
	}
}

func TestStoppedDerive(t *testing.T) {
	const most = AllPerms &^ Write
	for name, c := range map[string]struct {
		p       Perm
		between func(table *Table, root, top, parent ID) error
		want    error
	}{
		"nothing":             {Write, func(*Table, ID, ID, ID) error { return nil }, nil},
		"parent narrowed":     {Write, func(table *Table, root, _, parent ID) error { return table.Narrow(root, parent, most) }, ErrExceeds},
		"ancestor narrowed":   {Write, func(table *Table, root, top, _ ID) error { return table.Narrow(root, top, most) }, ErrExceeds},
		"narrowed elsewhere":  {Read, func(table *Table, root, top, _ ID) error { return table.Narrow(root, top, most) }, nil},
		"no longer delegates": {Read, func(table *Table, root, top, _ ID) error { return table.Narrow(root, top, Read) }, ErrPermission},
		"narrowed, granted": {Write, func(table *Table, root, top, parent ID) error {
			wantErr(t, table.Narrow(root, parent, most), nil)
			return table.Grant(top, parent, Write)
		}, ErrExceeds}, // the walk found the child, which nobody granted anything
		"parent transferred": {Read, func(table *Table, _, _, parent ID) error {
			_, err := table.Transfer(parent, 2)
			return err
		}, ErrRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			table := newTable(t, 1024)
			root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
			top := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
			parent := must(t)(table.Derive(0, top, 1, AllPerms, Options{}))
			d := startDerive(t, table, parent, c.p)
			wantErr(t, c.between(table, root, top, parent), nil)
			d.finish(t, table, c.want)
			wantTree(t, table)
			wantErr(t, table.Kill(root), nil)
			wantWhole(t, table)
		})
	}
}

// A Revoke, but for its wait, which the Derive's section would hold up, and what follows.
func TestStoppedDeriveRevoked(t *testing.T) {
	for _, above := range []bool{false, true} {
		table := newTable(t, 1024)
		root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
		top := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
		parent := must(t)(table.Derive(0, top, 1, AllPerms, Options{}))
		victim := parent
		if above {
			victim = top
		}
		early := startDerive(t, table, parent, Read)
		late := startDerive(t, table, parent, Read)
		var out list
		late.unlinkFor(table, func() {
			wantErr(t, table.cutDown(0, victim, func() error { return nil }, &out), nil)
		})
		early.finish(t, table, ErrRevoked)
		late.finish(t, table, ErrRevoked)
		table.reclaim(0, victim.Slot(), out)
		wantErr(t, table.Kill(root), nil)
		wantWhole(t, table)
	}
}

// unlinkFor hides the newest child from a walk, as if it were linked afterwards.
func (d stoppedDerive) unlinkFor(table *Table, walk func()) {
	first := &table.cold[d.parent.Slot()].first
	first.Store(table.cold[d.id.Slot()].next.Load())
	walk()
	table.push(d.parent.Slot(), d.id.Slot())
}

// The walk of a Narrow or a Revoke changes the word of an entry that isn't published, so that it
// isn't only the look at the parent that keeps it from being published.
func TestStoppedDeriveIsFound(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	parent := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
	d := startDerive(t, table, parent, Write)
	wantErr(t, table.Narrow(root, parent, AllPerms&^Write), nil)
	wantErr(t, table.Grant(root, parent, Write), nil)
	wantErr(t, table.publish(parent, d.id, d.word, Write), ErrExceeds)
	e := startDerive(t, table, parent, Read)
	var out list
	wantErr(t, table.cutDown(0, parent, func() error { return nil }, &out), nil)
	if w := &table.at(e.id.Slot()).word; w.CompareAndSwap(e.word, e.word^uint64(inactive)) {
		t.Error("Revoke left an unpublished entry as it was")
	}
}

func TestStoppedGrant(t *testing.T) {
	const most = AllPerms &^ Write
	for name, c := range map[string]struct {
		between func(table *Table, root, parent, id ID) error
		want    error
	}{
		"nothing":            {func(*Table, ID, ID, ID) error { return nil }, nil},
		"parent narrowed":    {func(table *Table, root, parent, _ ID) error { return table.Narrow(root, parent, most) }, ErrExceeds},
		"ancestor narrowed":  {func(table *Table, root, _, _ ID) error { return table.Narrow(root, root, most) }, ErrExceeds},
		"narrowed elsewhere": {func(table *Table, root, _, _ ID) error { return table.Narrow(root, root, AllPerms&^Read) }, nil},
		"upgrade lost":       {func(table *Table, root, _, id ID) error { return table.Narrow(root, id, AllPerms&^Upgrade) }, ErrPermission},
		"revoked":            {func(table *Table, root, _, id ID) error { return table.Revoke(root, id) }, ErrRevoked},
		"transferred": {func(table *Table, _, _, id ID) error {
			_, err := table.Transfer(id, 2)
			return err
		}, ErrRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			table := newTable(t, 1024)
			root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
			parent := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
			id := must(t)(table.Derive(0, parent, 1, most, Options{}))
			wanted, err := table.claim(id, Write)
			if err != nil || !wanted {
				t.Fatalf("claim: %v, %v", wanted, err)
			}
			wantErr(t, table.Grant(parent, id, Write), ErrBusy)
			wantErr(t, c.between(table, root, parent, id), nil)
			wantErr(t, table.add(0, parent, id, Write), c.want)
			if table.Check(id, Write) != (c.want == nil) {
				t.Error("wrong permissions")
			}
			if _, s := split(table.at(id.Slot()).word.Load(), id.Slot()); s.active() && s&(pending|dirty) != 0 {
				t.Errorf("flags are left: %#x", s)
			}
			wantTree(t, table)
		})
	}
}

// A Grant that has looked at the parent, and is stopped before its CAS: the Narrow that comes then
// leaves DIRTY, also where it takes nothing away.
func TestStoppedGrantBeforeAdding(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	id := must(t)(table.Derive(0, root, 1, AllPerms&^Write, Options{}))
	if _, err := table.claim(id, Write); err != nil {
		t.Fatal(err)
	}
	word := &table.at(id.Slot()).word
	w := word.Load()
	wantErr(t, table.Narrow(root, root, AllPerms&^Write), nil)
	if word.CompareAndSwap(w, w) {
		t.Error("a Narrow passed and Grant would add what the parent has lost")
	}
}

// Tombs: a child whose owner isn't done keeps its slot when it is cut out of the list, and when its
// parent goes; the last of the two frees it.
func TestTombs(t *testing.T) {
	for _, parentFirst := range []bool{false, true} {
		table := newTable(t, 1024)
		root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
		id := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
		must(t)(table.Derive(0, id, 1, AllPerms, Options{}))
		table.cold[root.Slot()].sweepAt.Store(10)
		var out list
		allow := func() error { return nil }
		wantErr(t, table.cutDown(0, id, allow, &out), nil)
		if out.head != 0 || table.member(table.cold[root.Slot()].first.Load()) != 0 {
			t.Fatal("no tomb")
		}
		if parentFirst {
			wantErr(t, table.Kill(root), nil)
			if used := table.Stats().Used; used != 2 {
				t.Errorf("%d slots used, want the tomb and its child", used)
			}
			table.reclaim(0, id.Slot(), out)
		} else {
			table.reclaim(0, id.Slot(), out)
			if used := table.Stats().Used; used != 2 {
				t.Errorf("%d slots used, want the root and the tomb", used)
			}
			wantErr(t, table.Kill(root), nil)
		}
		wantWhole(t, table)
	}
}

// A list that shrinks child by child is swept so often that tombs stay few, and not at each removal.
func TestSweeps(t *testing.T) {
	const children = 5000
	table := newTable(t, 8*chunk)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	var ids []ID
	for range children {
		ids = append(ids, must(t)(table.Derive(0, root, 1, Delete, Options{})))
	}
	live, sweeps := children, 0
	for _, id := range ids { // in the order of their creation: the worst for a search
		wantErr(t, table.Delete(id), nil)
		live--
		if table.cold[root.Slot()].tombs.Load() == 0 {
			sweeps++
		}
		if used := table.Stats().Used; used > live+1+children/sweepShare {
			t.Fatalf("%d slots used for %d capabilities", used, live+1)
		}
	}
	if sweeps > 100 {
		t.Errorf("%d sweeps", sweeps)
	}
	wantErr(t, table.Kill(root), nil)
	wantWhole(t, table)
}

// Revoke, Narrow and Transfer don't return while a gated call is running that was admitted before.
func TestGatedCallsAreWaitedFor(t *testing.T) {
	for name, f := range map[string]func(table *Table, root, id ID) error{
		"Revoke": func(table *Table, root, id ID) error { return table.Revoke(root, id) },
		"Delete": func(table *Table, _, id ID) error { return table.Delete(id) },
		"Narrow": func(table *Table, root, id ID) error { return table.Narrow(root, id, 0) },
		"Transfer": func(table *Table, _, id ID) error {
			_, err := table.Transfer(id, 2)
			return err
		},
		"EndSpace": func(table *Table, _, _ ID) error {
			_, err := table.EndSpace(2)
			return err
		},
	} {
		table := newTable(t, 1024)
		root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
		id := must(t)(table.Derive(0, root, 2, AllPerms, Options{}))
		section := table.rcu.ReadLock(0)
		if _, err := table.Admit(0, id, typeFile, Read, 0); err != nil {
			t.Fatal(err)
		}
		var running atomic.Bool
		running.Store(true)
		done := make(chan error)
		go func() {
			err := f(table, root, id)
			if running.Load() {
				t.Errorf("%s returned while an admitted call was running", name)
			}
			done <- err
		}()
		for table.Check(id, Read) {
			runtime.Gosched()
		}
		for range 1000 { // time for it to return, if it would
			runtime.Gosched()
		}
		running.Store(false)
		table.rcu.ReadUnlock(section)
		wantErr(t, <-done, nil)
	}
}

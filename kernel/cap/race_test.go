package cap

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// together runs functions at the same time, as nearly as the scheduler lets it.
func together(fs ...func()) {
	var ready, done sync.WaitGroup
	ready.Add(len(fs))
	for _, f := range fs {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			f()
		})
	}
	done.Wait()
}

func times(t *testing.T, n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// Nothing that was derived below a capability passes after its Revoke returned, whatever was
// derived meanwhile, and however deep.
func TestDeriveAgainstRevoke(t *testing.T) {
	table := newTable(t, 4096)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	escaped, made := 0, 0
	for range times(t, 3000) {
		top := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
		var over atomic.Bool
		var mine [3][]ID
		derive := func(i int) func() {
			return func() {
				for from, n := top, 0; n < 30; n++ {
					was := over.Load()
					id, err := table.Derive(i, from, 1, AllPerms, Options{})
					if err != nil {
						if !errors.Is(err, ErrRevoked) {
							t.Errorf("Derive: %v", err)
						}
						return
					}
					if was {
						t.Error("derived after Revoke returned")
					}
					mine[i] = append(mine[i], id)
					if n%3 != 2 {
						from = id
					}
				}
			}
		}
		together(derive(0), derive(1), derive(2), func() {
			for range rand.IntN(200) {
				runtime.Gosched()
			}
			wantErr(t, table.Revoke(root, top), nil)
			over.Store(true)
		})
		for _, ids := range mine {
			made += len(ids)
			for _, id := range ids {
				if table.Check(id, 0) {
					escaped++
				}
			}
		}
	}
	if escaped > 0 {
		t.Errorf("%d of %d escaped", escaped, made)
	}
	if used := wantTree(t, table); used != 1 {
		table.rcu.Barrier()
		if used = int(table.Stats().Used); used > 2 { // the root, and a tomb that nobody swept
			t.Errorf("%d slots used", used)
		}
	}
	wantErr(t, table.Kill(root), nil)
	wantWhole(t, table)
}

// Revokes of a capability and of its ancestors at the same time: what one returned from is dead,
// and every slot comes back once.
func TestRevokeAgainstRevoke(t *testing.T) {
	table := newTable(t, 4096)
	for range times(t, 2000) {
		root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
		ids := []ID{root}
		for range 20 {
			ids = append(ids, must(t)(table.Derive(0, ids[rand.IntN(len(ids))], 1, AllPerms, Options{})))
		}
		var fs []func()
		for range 4 {
			id := ids[rand.IntN(len(ids))]
			fs = append(fs, func() {
				err := table.Revoke(root, id)
				if err != nil && !errors.Is(err, ErrRevoked) {
					t.Errorf("Revoke: %v", err)
				}
				if err == nil && table.Check(id, 0) {
					t.Error("passes after Revoke")
				}
			})
		}
		together(fs...)
		wantTree(t, table)
		_ = table.Kill(root)
	}
	wantWhole(t, table)
}

// Neither a Grant to a child nor one further down outlives a Narrow above that it overlapped with.
func TestGrantAgainstNarrow(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	a := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
	b := must(t)(table.Derive(0, a, 1, AllPerms&^Write, Options{}))
	c := must(t)(table.Derive(0, b, 1, Upgrade, Options{}))
	for range times(t, 20_000) {
		grant := func(authority, id ID) func() {
			return func() {
				err := table.Grant(authority, id, Write)
				if err == nil {
					return
				}
				if !errors.Is(err, ErrExceeds) && !errors.Is(err, ErrBusy) {
					t.Errorf("Grant: %v", err)
				}
			}
		}
		together(grant(a, b), grant(b, c), grant(b, c), func() {
			wantErr(t, table.Narrow(root, a, AllPerms&^Write), nil)
		})
		for _, id := range []ID{a, b, c} {
			if table.Check(id, Write) {
				t.Fatal("a Grant outlived the permission")
			}
			if _, s := split(table.at(id.Slot()).word.Load(), id.Slot()); s&(pending|dirty) != 0 {
				t.Fatalf("flags are left: %#x", s)
			}
		}
		wantErr(t, table.Grant(root, a, Write), nil)
	}
	wantTree(t, table)
}

// While one deriver and one granter work against Narrow and Grant at the top, nobody ever has more
// than its parent once all have returned.
func TestDeriveAgainstNarrow(t *testing.T) {
	table := newTable(t, 4096)
	for range times(t, 1000) {
		root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
		top := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
		deriver := func(cpu int) func() {
			return func() {
				for from, n := top, 0; n < 10; n++ {
					id, err := table.Derive(cpu, from, 1, AllPerms, Options{})
					if err != nil {
						id, err = table.Derive(cpu, from, 1, AllPerms&^Write, Options{})
					}
					if err != nil {
						t.Errorf("Derive: %v", err)
						return
					}
					from = id
				}
			}
		}
		together(deriver(0), deriver(3), func() {
			for range rand.IntN(50) {
				runtime.Gosched()
			}
			wantErr(t, table.Narrow(root, top, AllPerms&^Write), nil)
		})
		table.Walk(func(i Info) bool {
			if i.Parent != 0 && i.Perms&Write != 0 {
				t.Errorf("slot %d escaped the Narrow", i.ID.Slot())
			}
			return true
		})
		wantTree(t, table)
		wantErr(t, table.Kill(root), nil)
	}
	wantWhole(t, table)
}

// One of several Transfers wins; what was derived by the old identifier stays, and no Derive by it
// succeeds after one returned.
func TestTransferAgainstDerive(t *testing.T) {
	table := newTable(t, 4096)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	for range times(t, 3000) {
		top := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
		var over atomic.Bool
		var moved [2]ID
		var mine [2][]ID
		transfer := func(i int) func() {
			return func() {
				id, err := table.Transfer(top, Space(10+i))
				if err == nil {
					moved[i] = id
					over.Store(true)
				} else if !errors.Is(err, ErrRevoked) {
					t.Errorf("Transfer: %v", err)
				}
			}
		}
		derive := func(i int) func() {
			return func() {
				for range 10 {
					was := over.Load()
					id, err := table.Derive(i, top, 1, Read, Options{})
					if err != nil {
						return
					}
					if was {
						t.Error("derived by an old identifier")
					}
					mine[i] = append(mine[i], id)
				}
			}
		}
		together(derive(0), derive(1), transfer(0), transfer(1))
		if (moved[0] == 0) == (moved[1] == 0) {
			t.Fatalf("Transfers gave %v", moved)
		}
		now := moved[0] | moved[1]
		if i, err := table.Info(now); err != nil || moved[int(i.Space)-10] != now {
			t.Errorf("%+v, %v", i, err)
		}
		for _, id := range append(mine[0], mine[1]...) {
			if !table.Check(id, Read) {
				t.Error("a child was lost")
			}
		}
		wantTree(t, table)
		wantErr(t, table.Revoke(root, now), nil)
		for _, id := range append(mine[0], mine[1]...) {
			if table.Check(id, 0) {
				t.Error("a child outlived its parent")
			}
		}
	}
	wantErr(t, table.Kill(root), nil)
	wantWhole(t, table)
}

// A call that blocks is woken, or learns before it blocks that it mustn't.
func TestAwaitAgainstRevoke(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	for i := range times(t, 3000) {
		id := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
		block := func() {
			wake := make(chan struct{}, 1)
			w, err := table.Await(id, func() {
				select {
				case wake <- struct{}{}:
				default:
				}
			})
			if err != nil {
				return
			}
			for table.Check(id, Read) {
				<-wake // for ever, if the wake is lost
			}
			table.Done(w)
		}
		now := id
		together(block, block, block, func() {
			var err error
			if i%2 == 0 {
				err = table.Narrow(root, id, 0)
			} else {
				now, err = table.Transfer(id, 2)
			}
			if err != nil {
				t.Error(err)
			}
		})
		wantErr(t, table.Revoke(root, now), nil)
	}
	wantErr(t, table.Kill(root), nil)
	wantWhole(t, table)
}

// Growth by several CPUs at the same time gives each slot to one.
func TestGrowth(t *testing.T) {
	const slots = 64 * chunk
	table := newTable(t, slots)
	var all [testCPUs][]ID
	var fs []func()
	for cpu := range testCPUs {
		fs = append(fs, func() {
			for {
				id, err := table.Create(cpu, Space(cpu), file7, AllPerms, Options{})
				if err != nil {
					wantErr(t, err, ErrFull)
					return
				}
				all[cpu] = append(all[cpu], id)
			}
		})
	}
	together(fs...)
	seen := make([]bool, slots)
	for cpu, ids := range all {
		for _, id := range ids {
			if seen[id.Slot()] || id.Slot() == 0 {
				t.Fatalf("slot %d given twice", id.Slot())
			}
			seen[id.Slot()] = true
			if i, err := table.Info(id); err != nil || i.Space != Space(cpu) {
				t.Fatalf("%+v, %v", i, err)
			}
		}
	}
	for cpu := range testCPUs {
		n, err := table.EndSpace(Space(cpu))
		if err != nil || n != len(all[cpu]) {
			t.Errorf("EndSpace: %d, %v; want %d", n, err, len(all[cpu]))
		}
	}
	wantWhole(t, table)
}

package cap

import (
	"errors"
	"testing"
	"unsafe"
)

func TestCreateCheckLookup(t *testing.T) {
	table := newTable(t, 1024)
	id := must(t)(table.Create(0, 3, file7, Read|Write|Specific, Options{}))
	for _, c := range []struct {
		need Perm
		want error
	}{
		{0, nil}, {Read, nil}, {Read | Write, nil}, {Specific, nil},
		{Read | Delegate, ErrPermission}, {Specific << 1, ErrPermission}, {1 << 20, ErrPermission}, {1 << 31, ErrPermission},
	} {
		if got := table.Check(id, c.need); got != (c.want == nil) {
			t.Errorf("Check(%v) is %v", c.need, got)
		}
		if got := table.Holds(id, c.need); got != (c.want == nil) {
			t.Errorf("Holds(%v) is %v", c.need, got)
		}
		o, err := table.Lookup(1, id, c.need)
		wantErr(t, err, c.want)
		if err == nil && o != file7 {
			t.Errorf("Lookup gives %#x", o)
		}
		if o, v := table.Look(id, c.need); !errors.Is(c.want, v.Err()) || v == OK && o != file7 {
			t.Errorf("Look(%v) gives %#x, %v", c.need, o, v)
		}
	}
	_, err := table.Lookup(0, id, Read|Execute|Transfer)
	if e := (*PermissionError)(nil); !errors.As(err, &e) || e.Missing != Execute|Transfer {
		t.Errorf("error %v", err)
	}
	if i, err := table.Info(id); err != nil || i.Space != 3 || i.Object != file7 || i.Perms != Read|Write|Specific || i.ID != id || i.Parent != 0 {
		t.Errorf("Info: %+v, %v", i, err)
	}
}

func TestForeignIdentifiers(t *testing.T) {
	table := newTable(t, 2048)
	id := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	for _, bad := range []ID{
		0, 1, id ^ 1<<24, id ^ 1<<63, id ^ 1, ID(id.Slot()), MaxSlots - 1, ^ID(0), id&^slotMask | 2000, id &^ slotMask,
	} {
		if table.Check(bad, 0) || table.Holds(bad, 0) {
			t.Errorf("%#x passes", bad)
		}
		_, err := table.Lookup(0, bad, 0)
		wantErr(t, err, ErrNoCapability)
		_, err = table.Info(bad)
		wantErr(t, err, ErrNoCapability)
		_, err = table.Derive(0, bad, 1, 0, Options{})
		wantErr(t, err, ErrNoCapability)
		_, err = table.Transfer(bad, 1)
		wantErr(t, err, ErrNoCapability)
		_, err = table.Await(bad, func() {})
		wantErr(t, err, ErrNoCapability)
		wantErr(t, table.Delete(bad), ErrNoCapability)
		wantErr(t, table.Kill(bad), ErrNoCapability)
		wantErr(t, table.Revoke(id, bad), ErrNoCapability)
		wantErr(t, table.Revoke(bad, id), ErrNoCapability)
		wantErr(t, table.Narrow(id, bad, 0), ErrNoCapability)
		wantErr(t, table.Narrow(bad, id, 0), ErrNoCapability)
		wantErr(t, table.Grant(id, bad, 0), ErrNoCapability)
		wantErr(t, table.Grant(bad, id, 0), ErrNoCapability)
	}
	if !table.Check(id, AllPerms) {
		t.Error("something changed")
	}
}

func TestCreateErrors(t *testing.T) {
	table := newTable(t, 1024)
	_, err := table.Create(0, 1, file7, AllPerms+1, Options{})
	if e := (*ExceedsError)(nil); !errors.As(err, &e) || e.Excess != AllPerms+1 {
		t.Errorf("error %v", err)
	}
	var ids []ID
	for {
		id, err := table.Create(len(ids)%testCPUs, 1, file7, Delete, Options{})
		if err != nil {
			wantErr(t, err, ErrFull)
			break
		}
		ids = append(ids, id)
	}
	if len(ids) != 1023 {
		t.Errorf("%d capabilities in a table of 1,024 slots", len(ids))
	}
	for _, id := range ids {
		wantErr(t, table.Delete(id), nil)
	}
	wantWhole(t, table)
}

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

func TestInside(t *testing.T) {
	table := newTable(t, 1024)
	id := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	place, ok := table.insiders.enter()
	if !ok {
		t.Fatal("no place")
	}
	wantErr(t, table.Revoke(id, id), ErrInside)
	wantErr(t, table.Delete(id), ErrInside)
	wantErr(t, table.Kill(id), ErrInside)
	wantErr(t, table.Narrow(id, id, Read), ErrInside)
	_, err := table.Transfer(id, 2)
	wantErr(t, err, ErrInside)
	_, err = table.EndSpace(1)
	wantErr(t, err, ErrInside)
	if !table.Check(id, AllPerms) {
		t.Error("something changed")
	}
	other := make(chan error)
	go func() { other <- table.Narrow(id, id, Read|Delete) }()
	wantErr(t, <-other, nil) // who is outside may
	table.insiders.leave(place)
	wantErr(t, table.Delete(id), nil)
}

func TestInsidersFull(t *testing.T) {
	var in insiders
	for i := range places {
		if _, ok := in.enter(); !ok {
			t.Fatalf("%d places, want %d", i, places)
		}
	}
	if _, ok := in.enter(); ok || !in.inside() {
		t.Error("a full set")
	}
	for i := range places {
		in.leave(i)
	}
	if in.inside() {
		t.Error("still inside")
	}
}

func TestAwait(t *testing.T) {
	table := newTable(t, 1024)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	var woken [4]int
	var ids [4]ID
	var waiters [4]Waiter
	for i := range ids {
		ids[i] = must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
		w, err := table.Await(ids[i], func() { woken[i]++ })
		wantErr(t, err, nil)
		waiters[i] = w
	}
	table.Done(waiters[3])
	wantErr(t, table.Revoke(root, ids[0]), nil)
	wantErr(t, table.Narrow(root, ids[1], Read), nil)
	must(t)(table.Transfer(ids[2], 2))
	wantErr(t, table.Delete(ids[3]), nil)
	if woken != [4]int{1, 1, 1, 0} {
		t.Errorf("woken %v times", woken)
	}
	_, err := table.Await(ids[0], func() {})
	wantErr(t, err, ErrRevoked)
	for _, w := range waiters[:3] {
		table.Done(w)
	}
	for i := range table.waits {
		l := &table.waits[i]
		if l.head.Load() != nil {
			t.Errorf("list %d is not empty", i)
		}
	}
	wantErr(t, table.Revoke(root, root), nil)
	wantWhole(t, table)
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

func TestWalk(t *testing.T) {
	table := newTable(t, 1024)
	var want []int
	for range 2 {
		r := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
		a := must(t)(table.Derive(0, r, 1, AllPerms, Options{}))
		must(t)(table.Derive(0, a, 1, AllPerms, Options{}))
		must(t)(table.Derive(0, a, 1, AllPerms, Options{}))
		must(t)(table.Derive(0, r, 1, AllPerms, Options{}))
		want = append(want, 0, 1, 1, 2, 2)
	}
	var depths []int
	table.Walk(func(i Info) bool {
		depths = append(depths, i.Depth)
		return true
	})
	if len(depths) != len(want) {
		t.Fatalf("depths %v, want as %v", depths, want)
	}
	for i := range depths {
		if depths[i] != want[i] {
			t.Fatalf("depths %v, want %v", depths, want)
		}
	}
	n := 0
	table.Walk(func(Info) bool { n++; return n < 3 })
	if n != 3 {
		t.Errorf("went on after false: %d", n)
	}
}

func TestObjects(t *testing.T) {
	table := newTable(t, 1024)
	released := 0
	o, err := table.Register(typePort, "value", func() { released++ })
	wantErr(t, err, nil)
	a := must(t)(table.Create(0, 1, o, AllPerms, Options{}))
	b := must(t)(table.Create(0, 1, o, AllPerms, Options{}))
	must(t)(table.Derive(0, a, 1, AllPerms, Options{}))
	table.Unregister(o)
	got, err := table.Lookup(0, a, Read)
	wantErr(t, err, nil)
	if v, ok := table.Value(got); !ok || v != "value" || got.Type() != typePort {
		t.Errorf("value %v, %v of %#x", v, ok, got)
	}
	wantErr(t, table.Delete(a), nil)
	if released != 0 {
		t.Error("released while a capability is there")
	}
	wantErr(t, table.Delete(b), nil)
	if _, ok := table.Value(o); released != 1 || ok {
		t.Errorf("released %d times, there: %v", released, ok)
	}
	_, err = table.Create(0, 1, o, AllPerms, Options{})
	wantErr(t, err, ErrObject)
	again, _ := table.Register(typePort, 1, nil)
	if again == o {
		t.Error("an object's name came back")
	}
	wantWhole(t, table)
}

func TestAdmit(t *testing.T) {
	table := newTable(t, 1024)
	id := must(t)(table.Create(0, 1, file7, Read, Options{}))
	if o, err := table.Admit(0, id, typeFile, Read, 0); err != nil || o != file7 {
		t.Errorf("%#x, %v", o, err)
	}
	_, err := table.Admit(0, id, typePort, Read, 0)
	wantErr(t, err, ErrType)
	_, err = table.Admit(0, id, typeFile, Write, 0)
	wantErr(t, err, ErrPermission)
}

func TestCheckAll(t *testing.T) {
	table := newTable(t, 1024)
	a := must(t)(table.Create(0, 1, file7, Read, Options{}))
	b := must(t)(table.Create(0, 1, file7, Read|Write, Options{}))
	ok := make([]bool, 4)
	if n := table.CheckAll([]ID{a, b, 0, b}, Write, ok); n != 2 || ok[0] || !ok[1] || ok[2] || !ok[3] {
		t.Errorf("%d passed: %v", n, ok)
	}
}

// What runs below the runtime, and the fast path, must not allocate.
func TestNoAllocation(t *testing.T) {
	table := newTable(t, 1024)
	id := must(t)(table.Create(0, 1, file7, Read, Options{}))
	dead := must(t)(table.Create(0, 1, file7, Delete, Options{}))
	wantErr(t, table.Delete(dead), nil)
	for name, f := range map[string]func(){
		"Check":       func() { table.Check(id, Read) },
		"Check fails": func() { table.Check(dead, Read) },
		"Lookup":      func() { _, _ = table.Lookup(0, id, Read) },
		"Look":        func() { table.Look(id, Read) },
		"Look fails":  func() { table.Look(dead, Read); table.Look(id, Write) },
		"revoked":     func() { _, _ = table.Lookup(0, dead, Read) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestNames(t *testing.T) {
	for p, want := range map[Perm]string{0: "none", Read | Upgrade: "read|upgrade", Specific | Delete: "delete|bit8", 1 << 31: "bit31"} {
		if p.String() != want {
			t.Errorf("%#x: %q, want %q", uint32(p), p.String(), want)
		}
	}
	if len(verdictTexts) != int(ErrFull)+1 {
		t.Error("a verdict without text")
	}
	if OK.Err() != nil || ErrGas.Err() != ErrGas {
		t.Error("Err")
	}
}

func TestNewErrors(t *testing.T) {
	good := newTable(t, 1024)
	for _, c := range []Config{
		{Slots: 1, CPUs: 1, RCU: good.rcu, Now: good.now},
		{Slots: MaxSlots + 1, CPUs: 1, RCU: good.rcu, Now: good.now},
		{CPUs: 0, RCU: good.rcu, Now: good.now},
		{CPUs: 1, Now: good.now},
		{CPUs: 1, RCU: good.rcu},
		{CPUs: 1, RCU: good.rcu, Now: good.now, Reserve: func(int) ([]byte, error) { return nil, nil }},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("no error for %+v", c)
		}
	}
	// The largest table, from the system's memory.
	table, err := New(Config{CPUs: 1, RCU: good.rcu, Now: good.now})
	wantErr(t, err, nil)
	id := must(t)(table.Create(0, 1, file7, Read, Options{}))
	if !table.Check(id, Read) || table.Stats().Backed != chunk || table.Stats().Slots != MaxSlots-1 {
		t.Errorf("%+v", table.Stats())
	}
}

// The index takes 16 bytes for a capability, and what Check reads of the table is in one cache line.
func TestLayout(t *testing.T) {
	var table Table
	if hot, cold := entryBytes, unsafe.Sizeof(cold{}); hot != 16 || cold != 40 {
		t.Errorf("entries of %d and %d bytes", hot, cold)
	}
	if end := unsafe.Offsetof(table.limit) + unsafe.Sizeof(table.limit); end > 64 || unsafe.Offsetof(table.hot) != 0 {
		t.Errorf("limit ends at %d", end)
	}
}

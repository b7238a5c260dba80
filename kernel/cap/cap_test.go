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

package cap

import "testing"

// What a function takes its time for may be over when it has answered.
func TestFunctionTakesTime(t *testing.T) {
	table, clock := newTimedTable(t)
	take := uint64(50)
	id := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{
		ExpiresAt: 100, Every: 10, Func: func(Info) bool { clock.Add(take); return true }}}))
	if !table.Check(id, Read) {
		t.Fatal("refused")
	}
	if got := table.records[id.Slot()].arrival.Load(); got != 61 {
		t.Errorf("the next use is due at %d, want 61", got)
	}
	clock.Store(70)
	wantErr(t, table.verdict(0, id, Read), ErrExpired)
}

func TestFunction(t *testing.T) {
	table, _ := newTimedTable(t)
	var told Info
	asked, answer := 0, true
	root := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{
		Func: func(i Info) bool { told = i; asked++; return answer }}}))
	child := must(t)(table.Derive(0, root, 2, Read|Write|Delete, Options{}))
	function := Object(table.records[root.Slot()].function.Load())
	if asked != 1 {
		t.Errorf("asked %d times by a Derive", asked)
	}
	if !table.Check(child, Read) {
		t.Error("refused")
	}
	if told.ID != 0 || told.Parent != root.Slot() || told.Space != 2 || told.Object != file7 || told.Perms != Read|Write|Delete {
		t.Errorf("told %+v", told)
	}
	answer = false
	wantErr(t, table.Verdict(child, Read), ErrRefused)
	_, err := table.Lookup(0, child, Read)
	wantErr(t, err, ErrRefused)
	answer = true
	asked = 0
	if _, v := table.Look(child, Read); v != ErrRefused || asked != 0 {
		t.Errorf("below the runtime: %v, asked %d times", v, asked)
	}
	if err := table.Kill(root); err != nil {
		t.Fatal(err)
	}
	if _, ok := table.Value(function); ok {
		t.Error("the function is still held")
	}
	wantWhole(t, table)
}

// What waits for the calls under way would wait for the one that its function runs in.
func TestFunctionInside(t *testing.T) {
	table, _ := newTimedTable(t)
	other := must(t)(table.Create(0, 1, file7, everything, Options{}))
	gated := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{Func: func(Info) bool { return true }}}))
	ran := 0
	var self ID
	self = must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{Func: func(Info) bool {
		ran++
		_, transfer := table.Transfer(other, 2)
		_, end := table.EndSpace(1)
		_, use := table.Lookup(0, gated, Read)
		_, again := table.Lookup(0, self, Read)
		for _, err := range []error{
			table.Revoke(other, other), table.Delete(other), table.Kill(other),
			table.Narrow(other, other, Read), transfer, end, use, again,
		} {
			wantErr(t, err, ErrInside)
		}
		if !table.Check(other, Read) {
			t.Error("a plain check inside is refused")
		}
		return true
	}}}))
	if !table.Check(self, Read) || ran != 1 {
		t.Errorf("refused, or ran %d times", ran)
	}
	if err := table.Kill(other); err != nil {
		t.Errorf("outside again: %v", err)
	}
}

// A panic leaves no read section, no place among the insiders and no slot behind.
func TestFunctionPanics(t *testing.T) {
	table, _ := newTimedTable(t)
	mood := ""
	root := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{Uses: 1, Func: func(Info) bool { panic(mood) }}}))
	for what, f := range map[string]func(){
		"Check": func() { table.Check(root, Read) },
		"Agree": func() { table.Agree(root) },
		"Derive": func() {
			table.Derive(0, root, 1, Read, Options{Formula: &Formula{Func: func(Info) bool { return true }}})
		},
		"Revoke":   func() { table.Revoke(root, root) },
		"Narrow":   func() { table.Narrow(root, root, Read) },
		"Transfer": func() { table.Transfer(root, 2) },
	} {
		mood = what
		func() {
			defer func() {
				if got := recover(); got != mood {
					t.Errorf("%s: panic %v", mood, got)
				}
			}()
			f()
		}()
	}
	if info, _ := table.Info(root); info.UsesLeft != 1 {
		t.Errorf("%d uses left, want 1", info.UsesLeft)
	}
	if err := table.Kill(root); err != nil { // ends: no section is left
		t.Error(err)
	}
	if n := table.objects.held(); n != 0 {
		t.Errorf("%d functions held", n)
	}
	wantWhole(t, table)
}

// held counts the registered values.
func (r *registry) held() (n int) {
	for i := range r.pages {
		if page := r.pages[i].Load(); page != nil {
			for j := range page {
				if page[j].Load() != nil {
					n++
				}
			}
		}
	}
	return n
}

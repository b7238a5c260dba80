package cap

import "testing"

// asking is a table with a capability whose function says when it is asked, and waits to be let go on.
func asking(t *testing.T) (table *Table, id ID, asked, answer chan bool) {
	table = newTable(t, 1024)
	asked, answer = make(chan bool), make(chan bool)
	id = must(t)(table.Create(0, 1, file7, AllPerms, Options{Formula: &Formula{Func: func(Info) bool {
		asked <- true
		return <-answer
	}}}))
	return table, id, asked, answer
}

// A function that doesn't return holds up no grace period, whatever use it is asked about.
func TestFunctionHoldsNobodyUp(t *testing.T) {
	table, id, asked, answer := asking(t)
	child := func() ID {
		c := make(chan ID)
		go func() { c <- must(t)(table.Derive(0, id, 1, Read|Upgrade|Delegate, Options{})) }()
		<-asked
		answer <- true
		return <-c
	}
	for _, use := range []struct {
		name string
		make func(child ID) error
	}{
		{"Check", func(ID) error { return table.verdict(0, id, Read).Err() }},
		{"Lookup", func(ID) error { _, err := table.Lookup(0, id, Read); return err }},
		{"Derive", func(ID) error { _, err := table.Derive(0, id, 1, Read, Options{}); return err }},
		{"Grant", func(child ID) error { return table.Grant(id, child, Write) }},
		{"Narrow", func(child ID) error { return table.Narrow(id, child, Read) }},
		{"Revoke", func(child ID) error { return table.Revoke(id, child) }},
		{"Admit", func(ID) error {
			defer table.Agree(id).End()
			defer table.rcu.ReadUnlock(table.rcu.ReadLock(0))
			_, err := table.Admit(0, id, typeFile, Read, 0)
			return err
		}},
		{"Transfer", func(ID) error { _, err := table.Transfer(id, 2); return err }}, // the last: it ends id
	} {
		below, done := child(), make(chan error)
		go func() { done <- use.make(below) }()
		<-asked
		table.rcu.Synchronize()
		other := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
		wantErr(t, table.Revoke(other, other), nil)
		answer <- true
		if err := <-done; err != nil {
			t.Errorf("%s: %v", use.name, err)
		}
	}
	table.EndSpace(1)
	table.EndSpace(2)
	wantWhole(t, table)
}

// What was revoked while its function was asked is refused, whatever the answer.
func TestRevokedWhileAsked(t *testing.T) {
	table, id, asked, answer := asking(t)
	done := make(chan Verdict)
	go func() { done <- table.verdict(0, id, Read) }()
	<-asked
	wantErr(t, table.Kill(id), nil)
	answer <- true
	if v := <-done; v != ErrRevoked {
		t.Errorf("verdict %v", v)
	}
	wantWhole(t, table)
}

// A consent is its goroutine's, for one capability, until its end.
func TestConsent(t *testing.T) {
	table := newTable(t, 1024)
	yes := Options{Formula: &Formula{Func: func(Info) bool { return true }}}
	id := must(t)(table.Create(0, 1, file7, AllPerms, yes))
	child, other := must(t)(table.Derive(0, id, 1, Read, Options{})), must(t)(table.Create(0, 1, file7, AllPerms, yes))
	admit := func(id ID) error {
		defer table.rcu.ReadUnlock(table.rcu.ReadLock(0))
		_, err := table.Admit(0, id, typeFile, Read, 0)
		return err
	}
	wantErr(t, admit(id), ErrRefused)
	c, d := table.Agree(id), table.Agree(child)
	wantErr(t, admit(id), nil)
	wantErr(t, admit(child), nil)
	wantErr(t, admit(other), ErrRefused)
	elsewhere := make(chan error)
	go func() { elsewhere <- admit(id) }()
	wantErr(t, <-elsewhere, ErrRefused)
	c.End()
	wantErr(t, admit(id), ErrRefused)
	wantErr(t, admit(child), nil)
	d.End()
	if n := table.consents.running.Load(); n != 0 {
		t.Errorf("%d consents left", n)
	}
	table.EndSpace(1)
	wantWhole(t, table)
}

// With all places taken nothing is agreed to, and none is lost.
func TestConsentsAreBounded(t *testing.T) {
	table := newTable(t, 1024)
	id := must(t)(table.Create(0, 1, file7, AllPerms, Options{Formula: &Formula{Func: func(Info) bool { return true }}}))
	var all []Consent
	for range places {
		all = append(all, table.Agree(id))
	}
	if c := table.Agree(id); c.at != nil {
		t.Error("one more than there are places")
	}
	for _, c := range all {
		c.End()
	}
	if !table.Check(id, Read) {
		t.Error("refused with all places free")
	}
}

// An entry has functions to ask if there are some at or above it, however many records lie between.
func TestFunctionsAbove(t *testing.T) {
	table := newTable(t, 1024)
	for _, with := range []bool{false, true} {
		f := &Formula{ExpiresAt: 1 << 62}
		if with {
			f.Func = func(Info) bool { return true }
		}
		id := must(t)(table.Create(0, 1, file7, AllPerms, Options{Formula: f, Gas: maxChain}))
		for i := range maxChain {
			if table.hasFunctions(id.Slot()) != with {
				t.Fatalf("%d records below: %t", i, !with)
			}
			var o Options // none, a formula, an account in turn
			if i%3 == 1 {
				o.Formula = &Formula{Uses: maxChain}
			} else if i%3 == 2 {
				o.Gas = 1
			}
			id = must(t)(table.Derive(0, id, 1, AllPerms, o))
		}
		child := must(t)(table.Derive(0, id, 1, AllPerms, Options{Formula: &Formula{Func: func(Info) bool { return true }}}))
		if !table.hasFunctions(child.Slot()) || table.hasFunctions(id.Slot()) != with {
			t.Error("a child's function is its parent's, or nobody's")
		}
	}
	table.EndSpace(1)
	wantWhole(t, table)
}

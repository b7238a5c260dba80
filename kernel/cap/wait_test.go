package cap

import "testing"

// onList counts the waiters of a slot's list, tombs too.
func onList(t *Table, slot uint32) (n int) {
	for w := t.waits[slot%lists].head.Load(); w != nil; w = w.next.Load() {
		n++
	}
	return n
}

// Who waits again is found where it was: nothing is allocated, and Revoke wakes it.
func TestAwaitAgain(t *testing.T) {
	table := newTable(t, chunk)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	id := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
	woken := [2]int{}
	wakes := [2]func(){func() { woken[0]++ }, func() { woken[1]++ }}
	var waiters [2]Waiter
	round := func() {
		for i, f := range wakes {
			waiters[i], _ = table.Await(id, f)
		}
		for _, w := range waiters {
			table.Done(w)
		}
	}
	if n := testing.AllocsPerRun(1000, round); n != 0 {
		t.Errorf("%v allocations for two waits", n)
	}
	if n := onList(table, id.Slot()); n != 2 {
		t.Errorf("%d on the list", n)
	}
	w, err := table.Await(id, wakes[0])
	wantErr(t, err, nil)
	wantErr(t, table.Revoke(root, id), nil)
	if woken != [2]int{1, 0} {
		t.Errorf("woken %v, of whom the first waited", woken)
	}
	table.Done(w)
	if n := onList(table, id.Slot()); n != 0 {
		t.Errorf("%d left on the list", n)
	}
	if n := table.cold[id.Slot()].waiters.Load(); n != 0 {
		t.Errorf("%d counted, none there", n)
	}
}

// A Waiter is live again without a search while it is done, for its slot alone, and then Revoke wakes it.
func TestWaiterAgain(t *testing.T) {
	table := newTable(t, chunk)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	id := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
	woken := 0
	w, err := table.Await(id, func() { woken++ })
	wantErr(t, err, nil)
	if w.Again(id) {
		t.Error("again while it is live")
	}
	table.Done(w)
	if w.Again(root) || (Waiter{}).Again(id) {
		t.Error("again for another slot, or without a waiter")
	}
	if !w.Again(id) {
		t.Fatal("not again")
	}
	wantErr(t, table.Revoke(root, id), nil)
	if woken != 1 {
		t.Errorf("woken %d times", woken)
	}
	table.Done(w)
	if w.Again(id) {
		t.Error("again after its end")
	}
	if n := table.cold[id.Slot()].waiters.Load(); n != 0 {
		t.Errorf("%d counted, none there", n)
	}
}

// Waiters that don't come back do not pile up, nor do those of a capability that is no more.
func TestWaitersAreSwept(t *testing.T) {
	table := newTable(t, chunk)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	id := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
	const many = 1000
	var woken [many]int
	var waiters [many]Waiter
	await := func(i int) {
		w, err := table.Await(id, func() { woken[i]++ })
		wantErr(t, err, nil)
		waiters[i] = w
	}
	for i := range many {
		await(i)
		table.Done(waiters[i])
		if n := onList(table, id.Slot()); n > spare+1 {
			t.Fatalf("%d on the list, none waits", n)
		}
	}
	for i := range many {
		await(i)
	}
	wantErr(t, table.Revoke(root, id), nil)
	for i, w := range waiters {
		if woken[i] == 0 {
			t.Errorf("%d was not woken", i)
		}
		table.Done(w)
		if n := onList(table, id.Slot()); n > many-1-i+many/sweepShare+spare {
			t.Fatalf("%d on the list, %d wait", n, many-1-i)
		}
	}
	if n := onList(table, id.Slot()); n != 0 {
		t.Errorf("%d left on the list", n)
	}
	if n := table.cold[id.Slot()].waiters.Load(); n != 0 {
		t.Errorf("%d counted, none there", n)
	}
}

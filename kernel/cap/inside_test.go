package cap

import "testing"

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

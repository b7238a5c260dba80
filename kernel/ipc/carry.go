package ipc

import "pdac/kernel/cap"

// Capabilities is how capabilities travel; the gate implements it over kernel/cap. All are called
// inside the sender's call, and so none may wait for a grace period, which that call holds up.
type Capabilities interface {
	// Derive makes a child of id with the permissions keep, in space to.
	Derive(id cap.ID, to cap.Space, keep cap.Perm) (cap.ID, error)
	// Transferable returns what Transfer would fail with now, or nil.
	Transferable(id cap.ID) error
	// Transfer moves id into space to, where it gets a new identifier; the old one is dead.
	Transfer(id cap.ID, to cap.Space) (cap.ID, error)
	// Owner returns the space that id is in.
	Owner(id cap.ID) (cap.Space, error)
	// Drop ends a capability that Derive or Transfer gave, and of which nobody was told.
	Drop(id cap.ID)
}

// Pages is how pages travel. The gate implements it over the areas of memory that it mapped, free
// of pointers; Remap does the moving.
type Pages interface {
	// Move gives the pages of [at, at+n) a new address, and copies none. When it returns an access
	// to the old one faults, on every CPU, and nobody else gets the addresses before they are
	// released by whoever had them mapped; the gate's: never.
	Move(at, n uintptr) (to uintptr, err error)
	// Restore undoes a Move: the pages at to are at their old address again.
	Restore(to, n, at uintptr)
	// Keep makes pages that were moved to here the caller's, who has received them, and returns where
	// they are from now on; 0: there was no memory for that, and they are lost.
	Keep(at, n uintptr) (to uintptr)
	// Free unmaps pages that were moved to here and that nobody received.
	Free(to, n uintptr)
}

// A message's items go in the order in which they can be undone: pages, which move back; derived
// capabilities, which are dropped before anybody knew them; transferred ones, each of which was
// asked about first. Only a transfer that fails after one that succeeded cannot be undone to the
// bit, since no identifier comes back: see Message.
//
// They go when the message has its slot, not when it is received, so that it is the sender who
// learns that he may not, while he can do something about it. In transit they belong to the space
// that the endpoint was made for.

// pack moves what from, which is well formed, carries into space to, and writes what the receiver
// gets into m, a copy of from.
func (t *Table) pack(from, m *Message, to cap.Space) error {
	if m.Caps|m.Ranges == 0 {
		return nil
	}
	return t.packItems(from, m, to)
}

func (t *Table) packItems(from, m *Message, to cap.Space) error {
	if m.Caps != 0 && t.caps == nil || m.Ranges != 0 && t.pages == nil {
		return ErrNotCarried
	}
	if err := m.checkItems(); err != nil { // from was fine; since then its owner may have changed it
		return err
	}
	left := m.Range
	for i := range m.Caps {
		if m.Cap[i].Mode == Transfer {
			if err := t.caps.Transferable(m.Cap[i].ID); err != nil {
				return &ItemError{Index: i, Err: err}
			}
		}
	}
	for i := range m.Ranges {
		at, err := t.pages.Move(m.Range[i].At, m.Range[i].Len)
		if err != nil {
			t.restore(m, i, &left)
			return &ItemError{Pages: true, Index: i, Err: err}
		}
		m.Range[i].At = at
	}
	for i := range m.Caps {
		if c := &m.Cap[i]; c.Mode == Derive {
			id, err := t.caps.Derive(c.ID, to, c.Keep)
			if err != nil {
				t.dropDerived(m, i)
				t.restore(m, m.Ranges, &left)
				return &ItemError{Index: i, Err: err}
			}
			c.ID = id
		}
	}
	return t.transfer(from, m, to, &left)
}

// transfer is pack's last step. left are the ranges as they were.
func (t *Table) transfer(from, m *Message, to cap.Space, left *[MaxRanges]Range) error {
	var homes [MaxCaps]cap.Space
	for i := range m.Caps {
		c := &m.Cap[i]
		if c.Mode != Transfer {
			continue
		}
		home, err := t.caps.Owner(c.ID)
		id := c.ID
		if err == nil {
			id, err = t.caps.Transfer(c.ID, to)
		}
		if err != nil {
			t.sendHome(from, m, i, &homes)
			t.dropDerived(m, m.Caps)
			t.restore(m, m.Ranges, left)
			return &ItemError{Index: i, Err: err}
		}
		c.ID, homes[i] = id, home
	}
	return nil
}

// sendHome transfers those of the first n capabilities back that were transferred. If one can't
// go, it was revoked by who is above it, and there is nothing to give back.
func (t *Table) sendHome(from, m *Message, n int, homes *[MaxCaps]cap.Space) {
	for i := range n {
		if m.Cap[i].Mode == Transfer {
			if id, err := t.caps.Transfer(m.Cap[i].ID, homes[i]); err == nil {
				from.Cap[i].ID = id
			}
		}
	}
}

// restore moves the first n ranges back to where they were.
func (t *Table) restore(m *Message, n int, left *[MaxRanges]Range) {
	for i := range n {
		t.pages.Restore(m.Range[i].At, m.Range[i].Len, left[i].At)
	}
}

// dropDerived drops those of the first n capabilities that were derived.
func (t *Table) dropDerived(m *Message, n int) {
	for i := range n {
		if m.Cap[i].Mode == Derive {
			t.caps.Drop(m.Cap[i].ID)
		}
	}
}

// deliver copies a message to who receives it, whose pages they then are, where he has them. They are named
// by m, which he cannot change.
func (t *Table) deliver(m, to *Message) {
	m.copyTo(to)
	for i := range m.Ranges {
		to.Range[i].At = t.pages.Keep(m.Range[i].At, m.Range[i].Len)
	}
}

// discard ends what a message carries that nobody will receive.
func (t *Table) discard(m *Message) {
	for i := range m.Caps {
		t.caps.Drop(m.Cap[i].ID)
	}
	for i := range m.Ranges {
		t.pages.Free(m.Range[i].At, m.Range[i].Len)
	}
}

package ipc

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pdac/kernel/cap"
)

const client, server cap.Space = 10, 20

// carrying returns an endpoint of space server, and what it carries things with.
func carrying(tb testing.TB, o Options) (*Endpoint, *holdings, *memory) {
	tb.Helper()
	h := &holdings{held: map[cap.ID]held{}}
	m := &memory{last: 1 << 40, at: map[uintptr]uintptr{}, left: map[uintptr]bool{}, kept: map[uintptr]bool{}}
	t, err := New(Config{Capabilities: h, Pages: m})
	if err != nil {
		tb.Fatal(err)
	}
	o.Owner = server
	e, err := t.Create(o)
	if err != nil {
		tb.Fatal(err)
	}
	return e, h, m
}

func TestMessagesCarry(t *testing.T) {
	e, h, mem := carrying(t, Options{})
	a := h.create(client, cap.Read|cap.Write|cap.Delegate)
	b := h.create(client, cap.Read|cap.Transfer)
	mem.at[0x1000], mem.at[0x8000] = 0x2000, PageSize
	m := text("here")
	m.Caps, m.Cap = 2, [MaxCaps]Cap{{ID: a, Keep: cap.Read, Mode: Derive}, {ID: b, Mode: Transfer}}
	m.Ranges, m.Range = 2, [MaxRanges]Range{{0x1000, 0x2000}, {0x8000, PageSize}}
	if err := e.TrySend(m); err != nil {
		t.Fatal(err)
	}
	if m.Cap[0].ID != a || m.Cap[1].ID != b || m.Range[0].At != 0x1000 {
		t.Error("the sender's message changed")
	}
	var r Message
	if err := e.TryRecv(&r); err != nil || r.Caps != 2 || r.Ranges != 2 || string(r.Payload()) != "here" {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := h.held[r.Cap[0].ID]; got != (held{server, cap.Read, a}) {
		t.Errorf("derived: %+v", got)
	}
	if got := h.held[r.Cap[1].ID]; got.space != server || r.Cap[1].ID == b {
		t.Errorf("transferred: %+v", got)
	}
	if _, there := h.held[b]; there {
		t.Error("the old identifier lives")
	}
	if _, there := h.held[a]; !there {
		t.Error("what was derived from died")
	}
	if mem.at[r.Range[0].At] != 0x2000 || mem.at[0x1000] != 0 || !mem.left[0x1000] || len(mem.kept) != 2 || !mem.kept[r.Range[1].At] {
		t.Errorf("pages: %+v", mem)
	}
	// The way back, to the caller's space.
	done := make(chan error)
	var back Message
	go func() { done <- e.Call(nil, nil, client, text("give"), &back) }()
	e.Recv(nil, nil, &r)
	r.Caps, r.Cap[0] = 1, Cap{ID: a, Keep: cap.Write, Mode: Derive}
	if err := e.Reply(r.Call, &r); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || back.Caps != 1 || h.held[back.Cap[0].ID] != (held{client, cap.Write, a}) {
		t.Errorf("%+v, %v", back, err)
	}
}

// If one thing can't go, none does, and the error says which.
func TestAllOrNothing(t *testing.T) {
	type step = func(e *Endpoint, m *Message) error
	send := func(e *Endpoint, m *Message) error { return e.TrySend(m) }
	reply := func(e *Endpoint, m *Message) error {
		done := make(chan error)
		var r, q Message
		go func() { done <- e.Call(nil, nil, client, text("?"), &r) }()
		e.Recv(nil, nil, &q)
		err := e.Reply(q.Call, m)
		if again := e.Reply(q.Call, text("still there")); again != nil {
			t.Errorf("after a Reply that failed: %v", again)
		}
		if end := <-done; end != nil || string(r.Payload()) != "still there" || r.Caps+r.Ranges != 0 {
			t.Errorf("%+v, %v", r, end)
		}
		return err
	}
	for name, do := range map[string]step{"send": send, "reply": reply} {
		for bad := range MaxCaps + MaxRanges {
			for _, mode := range []Mode{Derive, Transfer} {
				e, h, mem := carrying(t, Options{Capacity: 1})
				m := text("x")
				m.Caps, m.Ranges = MaxCaps, MaxRanges
				for i := range MaxCaps {
					m.Cap[i] = Cap{ID: h.create(client, cap.AllPerms), Keep: cap.Read, Mode: Derive + Mode(i%2)}
					m.Range[i] = Range{uintptr(i+1) << 16, PageSize}
					mem.at[m.Range[i].At] = PageSize
				}
				want, why := ItemError{Index: bad}, errGone
				if bad < MaxCaps {
					m.Cap[bad] = Cap{ID: h.create(client, cap.Read), Keep: cap.Read, Mode: mode}
					why = errMay
				} else {
					want = ItemError{Pages: true, Index: bad - MaxCaps}
					delete(mem.at, m.Range[want.Index].At)
				}
				sent, held, at := *m, maps.Clone(h.held), maps.Clone(mem.at)
				err := do(e, m)
				var got *ItemError
				if !errors.As(err, &got) || got.Pages != want.Pages || got.Index != want.Index || !errors.Is(err, why) {
					t.Fatalf("%s, item %d: %v", name, bad, err)
				}
				if *m != sent || !maps.Equal(h.held, held) || !maps.Equal(mem.at, at) || len(mem.left) != 0 {
					t.Errorf("%s, item %d: something changed", name, bad)
				}
				if err := e.TrySend(text("there is room")); err != nil {
					t.Errorf("%s, item %d: %v", name, bad, err)
				}
			}
		}
	}
}

// A capability that is revoked after it was looked at and before it went: those that went come back.
func TestTransferLosesARace(t *testing.T) {
	e, h, mem := carrying(t, Options{})
	m := new(Message)
	m.Caps, m.Ranges = 3, 1
	for i := range 3 {
		m.Cap[i] = Cap{ID: h.create(client, cap.AllPerms), Keep: cap.Read, Mode: Transfer}
	}
	m.Cap[0].Mode = Derive
	m.Range[0] = Range{PageSize, PageSize}
	mem.at[PageSize] = PageSize
	transfers, old := 0, m.Cap[1].ID
	h.before = func() {
		if transfers++; transfers == 2 {
			delete(h.held, m.Cap[2].ID)
		}
	}
	var got *ItemError
	if err := e.TrySend(m); !errors.As(err, &got) || got.Index != 2 || !errors.Is(err, errGone) {
		t.Fatal(err)
	}
	if m.Cap[1].ID == old || h.held[m.Cap[1].ID].space != client {
		t.Error("what had gone did not come back")
	}
	if len(h.held) != 2 || mem.at[PageSize] == 0 || e.TryRecv(new(Message)) != ErrWouldBlock {
		t.Errorf("%+v, %+v", h.held, mem)
	}
}

func TestDeathDropsWhatIsCarried(t *testing.T) {
	e, h, mem := carrying(t, Options{})
	for i := range 3 {
		m := new(Message)
		m.Caps, m.Cap[0] = 1, Cap{ID: h.create(client, cap.AllPerms), Mode: Transfer}
		m.Ranges, m.Range[0] = 1, Range{uintptr(i+1) << 16, PageSize}
		mem.at[m.Range[0].At] = PageSize
		if err := e.TrySend(m); err != nil {
			t.Fatal(err)
		}
	}
	e.Kill(nil)
	if len(h.held) != 0 || h.dropped != 3 || len(mem.at) != 0 || mem.freed != 3 {
		t.Errorf("%+v, %+v", h, mem)
	}
}

func TestBadMessages(t *testing.T) {
	e, h, mem := carrying(t, Options{})
	id := h.create(client, cap.AllPerms)
	mem.at[PageSize] = 2 * PageSize
	twice := []Cap{{ID: id, Mode: Transfer}, {ID: id, Mode: Derive}}
	for want, ms := range map[Error][]Message{
		ErrTooLong:      {{Len: MaxData + 1}, {Len: -1}},
		ErrTooManyCaps:  {{Caps: MaxCaps + 1}, {Caps: -1}},
		ErrTooManyPages: {{Ranges: MaxRanges + 1}, {Ranges: -1}},
		ErrMode:         {{Caps: 1}, {Caps: 1, Cap: [MaxCaps]Cap{{ID: id, Mode: 3}}}},
		ErrTwice: {
			{Caps: 2, Cap: [MaxCaps]Cap(append(twice, make([]Cap, 2)...))},
			{Ranges: 2, Range: [MaxRanges]Range{{PageSize, 2 * PageSize}, {2 * PageSize, PageSize}}},
		},
		ErrRange: {
			{Ranges: 1}, {Ranges: 1, Range: [MaxRanges]Range{{PageSize, 1}}}, {Ranges: 1, Range: [MaxRanges]Range{{1, PageSize}}},
			{Ranges: 1, Range: [MaxRanges]Range{{^uintptr(0) &^ (PageSize - 1), 2 * PageSize}}},
		},
	} {
		for _, m := range ms {
			for name, err := range map[string]error{
				"Send": e.Send(nil, nil, &m), "TrySend": e.TrySend(&m), "Call": e.Call(nil, nil, client, &m, new(Message)), "Reply": e.Reply(1, &m),
			} {
				if !errors.Is(err, want) {
					t.Errorf("%s of %+v: %v, want %v", name, m, err, want)
				}
			}
		}
	}
	if i := e.Info(); i.Sent != 0 || len(h.held) != 1 || len(mem.at) != 1 {
		t.Errorf("%+v", i)
	}
	poor := endpoint(t, Options{})
	for _, m := range []Message{{Caps: 1, Cap: [MaxCaps]Cap{{ID: 1, Mode: Derive}}}, {Ranges: 1, Range: [MaxRanges]Range{{PageSize, PageSize}}}} {
		if err := poor.TrySend(&m); err != ErrNotCarried {
			t.Error(err)
		}
	}
	if err := new(Message).Put(make([]byte, MaxData+1)); err != ErrTooLong {
		t.Error(err)
	}
}

// FuzzMessages sends messages of any kind, well formed or not: what is accepted arrives whole, what is
// refused changes nothing, and at the end nothing is left over.
func FuzzMessages(f *testing.F) {
	f.Add(uint64(1), 5, 2, 2)
	f.Add(uint64(2), MaxData, MaxCaps, MaxRanges)
	f.Add(uint64(3), -1, MaxCaps+1, 1<<30)
	f.Fuzz(func(t *testing.T, seed uint64, n, caps, ranges int) {
		r := rand.New(rand.NewPCG(seed, 0))
		e, h, mem := carrying(t, Options{Capacity: 2})
		var ids []cap.ID
		for range 6 {
			ids = append(ids, h.create(client, cap.Perm(r.Uint32())&cap.AllPerms))
		}
		for i := range uintptr(6) {
			mem.at[(i+1)<<16] = (1 + i%2) * PageSize
		}
		m := Message{Len: n, Caps: caps, Ranges: ranges}
		for i := range m.Data {
			m.Data[i] = byte(r.Uint32())
		}
		for i := range MaxCaps {
			m.Cap[i] = Cap{ID: ids[r.IntN(6)], Keep: cap.Perm(r.Uint32()) & cap.AllPerms, Mode: Mode(r.IntN(4))}
			if r.IntN(2) == 0 {
				m.Cap[i].Keep = 0
			}
		}
		for i := range MaxRanges {
			m.Range[i] = Range{uintptr(1+r.IntN(7)) << 16, uintptr(r.IntN(3)) * PageSize}
		}
		before, at := maps.Clone(h.held), maps.Clone(mem.at)
		err := e.TrySend(&m)
		if err != nil {
			if !maps.Equal(h.held, before) || !maps.Equal(mem.at, at) || len(mem.left) != 0 {
				t.Fatalf("refused (%v), and changed something", err)
			}
			return
		}
		if r.IntN(3) == 0 {
			e.Kill(nil)
			if h.dropped != caps || mem.freed != ranges {
				t.Fatalf("%d of %d capabilities, %d of %d ranges dropped", h.dropped, caps, mem.freed, ranges)
			}
			return
		}
		var got Message
		if err := e.TryRecv(&got); err != nil || !slices.Equal(got.Payload(), m.Data[:n]) || got.Caps != caps || got.Ranges != ranges {
			t.Fatalf("%+v, %v", got, err)
		}
		for i, c := range got.Cap[:caps] {
			if b := before[m.Cap[i].ID]; h.held[c.ID].space != server || h.held[c.ID].perms&^b.perms != 0 {
				t.Fatalf("capability %d: %+v, of %+v", i, h.held[c.ID], b)
			}
		}
		for i, x := range got.Range[:ranges] {
			if mem.at[x.At] != x.Len || mem.at[m.Range[i].At] != 0 {
				t.Fatalf("range %d: %+v", i, x)
			}
		}
	})
}

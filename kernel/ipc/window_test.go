package ipc

import (
	"runtime"
	"testing"

	"pdac/kernel/cap"
)

// The windows of the races that semaphore.go and call.go argue about, each opened on purpose.

// A permit comes to who waits and isn't counted yet, then another for him to find: one is for who is
// counted.
func TestWindowServedBeforeCounted(t *testing.T) {
	s := semaphoreOf(0, 64)
	p := s.waiters.take()
	s.waiters.begin(p) // first in the row, not counted
	done := make(chan error)
	go func() { done <- s.acquire(nil, nil) }()
	until(func() bool { return s.waiting() == 1 })
	s.release()
	if p.state() != granted {
		t.Fatal("the first was not served")
	}
	s.release()
	if err := s.wait(p, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	p.end()
	if err := <-done; err != nil || s.permits() != 0 || s.waiting() != 0 {
		t.Errorf("%v, %d permits, %d wait", err, s.permits(), s.waiting())
	}
}

// Who gives up while he is owed a permit waits for it, and passes it on.
func TestWindowGivingUpWhatIsOwed(t *testing.T) {
	for range 100 {
		s := semaphoreOf(0, 64)
		p := s.waiters.take()
		s.waiters.begin(p)
		s.balance.Add(-1) // waits
		s.balance.Add(1)  // is owed a permit
		done := make(chan bool)
		go func() {
			s.cancel(p)
			close(done)
		}()
		s.grant()
		<-done
		if s.permits() != 1 || s.waiting() != 0 {
			t.Fatalf("%d permits, %d wait", s.permits(), s.waiting())
		}
	}
}

// The endpoint dies while a reply is being made, which then fails: its caller must hear of the death.
func TestWindowDeathDuringReply(t *testing.T) {
	e, h, _ := carrying(t, Options{})
	done := make(chan error)
	var q, r Message
	go func() { done <- e.Call(nil, nil, client, text("?"), &r) }()
	e.Recv(nil, nil, &q)
	q.Caps, q.Cap[0] = 1, Cap{ID: h.create(server, cap.AllPerms), Mode: Transfer}
	h.before = func() {
		e.Kill(nil)
		delete(h.held, q.Cap[0].ID)
	}
	if err := e.Reply(q.Call, &q); err == nil {
		t.Error("a capability that was gone went")
	}
	if err := <-done; err != ErrDead {
		t.Errorf("the caller got %v", err)
	}
}

// A reply that comes to a call whose capability was revoked is dropped, with what it carries.
func TestWindowReplyToTheRevoked(t *testing.T) {
	e, h, _ := carrying(t, Options{})
	done := make(chan error)
	g := new(gate)
	var q, r Message
	go func() { done <- e.Call(nil, g.in(), client, text("?"), &r) }()
	e.Recv(nil, nil, &q)
	until(func() bool { return g.leaves.Load() == 1 })
	g.revoked.Store(true) // and not woken yet
	q.Caps, q.Cap[0] = 1, Cap{ID: h.create(server, cap.AllPerms), Mode: Transfer}
	if err := e.Reply(q.Call, &q); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != errRevoked || h.dropped != 1 || len(h.held) != 0 {
		t.Errorf("%v; dropped %d, held %+v", err, h.dropped, h.held)
	}
}

// first serves none who began to wait after it had begun, so that it can't miss one before him.
func TestWindowNewcomersAreNotServed(t *testing.T) {
	var q waiters
	q.init(64)
	p := q.take()
	w := q.begin(p)
	q.tickets.Store(w>>stateBits - 1) // as it was when first began
	if q.first() != nil {
		t.Error("served one with a ticket drawn later")
	}
	q.tickets.Store(w >> stateBits)
	if q.first() == nil || p.state() != granted {
		t.Error("served nobody")
	}
}

// Who gives up is owed a permit by somebody who was served before he was counted. When that one
// counts himself nobody owes a permit any more, and who gives up must not go on waiting for one.
func TestWindowGivingUpBehindServedBeforeCounted(t *testing.T) {
	s := semaphoreOf(0, 64)
	first := s.waiters.take()
	s.waiters.begin(first) // in the row, not counted
	behind := s.waiters.take()
	s.waiters.begin(behind)
	s.balance.Add(-1) // waits
	s.release()       // serves the first for the one behind
	if first.state() != granted {
		t.Fatal("the first was not served")
	}
	done := make(chan bool)
	go func() {
		s.cancel(behind)
		close(done)
	}()
	for range 1000 { // lets it find that it is owed one
		runtime.Gosched()
	}
	if err := s.wait(first, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	<-done
	if s.permits() != 0 || s.waiting() != 0 {
		t.Errorf("%d permits, %d wait", s.permits(), s.waiting())
	}
}

// A message is changed while it is sent, after it was found to be well formed.
func TestWindowMessageChanges(t *testing.T) {
	for _, m := range []Message{{Len: MaxData + 1}, {Len: -1}, {Caps: MaxCaps + 1}, {Caps: -1}, {Ranges: MaxRanges + 1}, {Ranges: -1}} {
		var to Message
		if m.copyTo(&to); to.Len < 0 || to.Len > MaxData || to.Caps < 0 || to.Caps > MaxCaps || to.Ranges < 0 || to.Ranges > MaxRanges {
			t.Errorf("%d bytes, %d, %d became %d, %d, %d", m.Len, m.Caps, m.Ranges, to.Len, to.Caps, to.Ranges)
		}
	}

	e, h, mem := carrying(t, Options{})
	mem.at[0x1000] = PageSize
	m := text("")
	m.Ranges, m.Range[0] = 1, Range{0x1000, PageSize}
	changed := *m
	changed.Caps, changed.Cap[0].Mode = 1, Transfer+1
	if err := e.table.pack(m, &changed, server); err == nil || mem.at[0x1000] == 0 {
		t.Errorf("a capability of no mode: %v, pages %+v", err, mem)
	}

	m.Caps, m.Cap[0] = 1, Cap{ID: h.create(client, cap.AllPerms), Mode: Transfer}
	h.before = func() {
		m.Range[0].At = 0x5000
		delete(h.held, m.Cap[0].ID)
	}
	if err := e.TrySend(m); err == nil || mem.at[0x1000] == 0 || mem.at[0x5000] != 0 {
		t.Errorf("%v; went back to where they had not been: %+v", err, mem)
	}
}

// A receiver changes his message while he is given its pages: he gets those that came, and no others.
func TestWindowReceiverChanges(t *testing.T) {
	e, _, mem := carrying(t, Options{})
	mem.at[0x1000], mem.at[0x3000] = PageSize, PageSize
	m, r := text(""), new(Message)
	m.Ranges, m.Range = 2, [MaxRanges]Range{{0x1000, PageSize}, {0x3000, PageSize}}
	mem.before = func() { r.Range[1].At, r.Ranges = 0x5000, MaxRanges }
	if err := e.TrySend(m); err != nil {
		t.Fatal(err)
	}
	if err := e.TryRecv(r); err != nil || len(mem.kept) != 2 {
		t.Errorf("%v, kept %+v", err, mem.kept)
	}
}

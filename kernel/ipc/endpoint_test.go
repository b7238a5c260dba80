package ipc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

func text(s string) *Message {
	m := new(Message)
	if err := m.Put([]byte(s)); err != nil {
		panic(err)
	}
	return m
}

func TestEndpointIsFirstInFirstOutAndBounded(t *testing.T) {
	e := endpoint(t, Options{Capacity: 3})
	var m Message
	if err := e.TryRecv(&m); err != ErrWouldBlock {
		t.Errorf("receiving from an empty one: %v", err)
	}
	for round := range 5 {
		for i := range 3 {
			if err := e.TrySend(text(fmt.Sprint(round, i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.TrySend(text("more")); err != ErrWouldBlock {
			t.Errorf("sending to a full one: %v", err)
		}
		for i := range 3 {
			if err := e.TryRecv(&m); err != nil || string(m.Payload()) != fmt.Sprint(round, i) || m.Call != 0 {
				t.Fatalf("%q, %v", m.Payload(), err)
			}
		}
	}
	if i := e.Info(); i.Sent != 15 || i.Received != 15 || i.Depth != 0 || i.Capacity != 3 {
		t.Errorf("%+v", i)
	}
}

func TestSendersWaitForRoomInOrder(t *testing.T) {
	e := endpoint(t, Options{Capacity: 1})
	e.TrySend(text("first"))
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { e.Send(nil, nil, text(fmt.Sprint(i))) })
		until(func() bool { return e.Info().Senders == i+1 })
	}
	var m Message
	e.Recv(nil, nil, &m)
	for i := range 20 {
		// One sender at a time has a permit, so that the order of waking is that of sending.
		if err := e.Recv(nil, nil, &m); err != nil || string(m.Payload()) != fmt.Sprint(i) {
			t.Fatalf("%d: %q, %v", i, m.Payload(), err)
		}
	}
	wg.Wait()
}

func TestReceiversAreServedInOrder(t *testing.T) {
	e := endpoint(t, Options{})
	got := make(chan int)
	for i := range 20 {
		go func() {
			var m Message
			e.Recv(nil, nil, &m)
			got <- i
		}()
		until(func() bool { return e.Info().Receivers == i+1 })
	}
	for i := range 20 {
		e.TrySend(text("x"))
		if g := <-got; g != i {
			t.Fatalf("receiver %d was served, it was the turn of %d", g, i)
		}
	}
}

func TestDeathWakesAllAndDropsAll(t *testing.T) {
	reason := errors.New("went away")
	for _, want := range []error{nil, reason} {
		e := endpoint(t, Options{Capacity: 2})
		idle, deaf := endpoint(t, Options{}), endpoint(t, Options{})
		errs := make(chan error, 100)
		e.TrySend(text("a"))
		e.TrySend(text("b"))
		for range 5 {
			go func() { errs <- e.Send(nil, nil, text("c")) }()
			go func() { var r Message; errs <- e.Call(nil, nil, 0, text("d"), &r) }()
			go func() { var m Message; errs <- idle.Recv(nil, nil, &m) }()
			go func() { var r Message; errs <- deaf.Call(nil, nil, 0, text("e"), &r) }()
		}
		until(func() bool {
			i := e.Info()
			return i.Senders == 10 && i.Callers == 5 && idle.Info().Receivers == 5 && deaf.Info().Depth == 5
		})
		if !e.Kill(want) || e.Kill(want) {
			t.Error("death comes once")
		}
		idle.Kill(want)
		deaf.Kill(want)
		if want == nil {
			want = ErrDead
		}
		for range 20 {
			if err := <-errs; err != want {
				t.Errorf("a waiter got %v, want %v", err, want)
			}
		}
		var m Message
		for what, err := range map[string]error{
			"Send": e.Send(nil, nil, &m), "TrySend": e.TrySend(&m), "Recv": e.Recv(nil, nil, &m), "TryRecv": e.TryRecv(&m),
			"Call": e.Call(nil, nil, 0, &m, &m), "Reply": e.Reply(1, &m), "Err": e.Err(),
		} {
			if err != want {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		if i := e.Info(); i.Sent != 2 || i.Dropped != 2 || i.Received != 0 || i.Err != want {
			t.Errorf("%+v", i)
		}
	}
}

func TestContextEndsWaits(t *testing.T) {
	e := endpoint(t, Options{Capacity: 1})
	late, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	var m Message
	if err := e.Recv(late, nil, &m); err != context.DeadlineExceeded {
		t.Errorf("Recv: %v", err)
	}
	if err := e.Send(late, nil, text("a")); err != nil {
		t.Errorf("there is room, so nothing has to wait: %v", err)
	}
	if err := e.Send(late, nil, text("b")); err != context.DeadlineExceeded {
		t.Errorf("Send: %v", err)
	}
	if err := e.Recv(late, nil, &m); err != nil || string(m.Payload()) != "a" {
		t.Errorf("%q, %v", m.Payload(), err)
	}
	if err := e.Call(late, nil, 0, text("c"), &m); err != context.DeadlineExceeded {
		t.Errorf("Call: %v", err)
	}
	if err := e.TryRecv(&m); err != nil || m.Call == 0 {
		t.Fatalf("what was called for: %v", err)
	}
	if err := e.Reply(m.Call, text("late")); err != ErrNoCall {
		t.Errorf("Reply to who gave up: %v", err)
	}
	if i := e.Info(); i.Senders+i.Receivers+i.Callers != 0 {
		t.Errorf("%+v", i)
	}
}

func TestCallsGetTheirReplies(t *testing.T) {
	e := endpoint(t, Options{Capacity: 4})
	const callers, calls = 10, 200
	for range 2 {
		go serve(e)
		go turns(e)
	}
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			var r Message
			for i := range calls {
				want := fmt.Sprint(c, ":", i)
				if err := e.Call(nil, nil, 0, text(want), &r); err != nil || string(r.Payload()) != want || r.Call != 0 {
					t.Errorf("asked %q, got %q, %v", want, r.Payload(), err)
				}
			}
		})
	}
	wg.Wait()
	if i := e.Info(); i.Replied != callers*calls || i.Callers != 0 {
		t.Errorf("%+v", i)
	}
	e.Kill(nil)
}

func TestReplyOnceAndToCallsOnly(t *testing.T) {
	e := endpoint(t, Options{})
	other := endpoint(t, Options{})
	var m, r Message
	done := make(chan error)
	call := func() {
		go func() { done <- e.Call(nil, nil, 0, text("q"), &r) }()
		if err := e.Recv(nil, nil, &m); err != nil {
			t.Fatal(err)
		}
	}
	call()
	old := m.Call
	for _, bad := range []CallID{0, old + 1, old + 1<<placeBits, old - 1<<placeBits, ^CallID(0), 1 << 63} {
		if err := e.Reply(bad, &m); err != ErrNoCall {
			t.Errorf("Reply to %#x, which isn't %#x: %v", bad, old, err)
		}
	}
	if err := other.Reply(old, &m); err != ErrNoCall {
		t.Errorf("Reply at another endpoint: %v", err)
	}
	if err := e.Reply(old, &Message{Len: MaxData + 1}); err != ErrTooLong {
		t.Errorf("a bad reply: %v", err)
	}
	if err := e.Reply(old, text("a")); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil || string(r.Payload()) != "a" {
		t.Errorf("%q, %v", r.Payload(), err)
	}
	call() // at the same place
	if err := e.Reply(old, text("b")); err != ErrNoCall {
		t.Errorf("Reply to an answered call: %v", err)
	}
	if m.Call == old {
		t.Error("a call has the name of an earlier one")
	}
	e.Reply(m.Call, &m)
	<-done
}

func TestGuardIsAskedAroundEachWait(t *testing.T) {
	e := endpoint(t, Options{Capacity: 1})
	var m Message
	g := new(gate)
	e.TrySend(text("a"))
	if err := e.Recv(nil, g.in(), &m); err != nil || g.leaves.Load() != 0 {
		t.Errorf("left to take what was there: %v", err)
	}
	g.inside.Store(true)
	done := make(chan error)
	recv := func() { done <- e.Recv(nil, g.in(), &m) }
	go recv()
	until(func() bool { return g.leaves.Load() == 1 })
	g.rouse() // for nothing: it sleeps again
	until(func() bool { return g.leaves.Load() == 2 })
	e.TrySend(text("b"))
	if err := <-done; err != nil || !g.inside.Load() || string(m.Payload()) != "b" {
		t.Errorf("%q, inside %v, %v", m.Payload(), g.inside.Load(), err)
	}
}

func TestNothingAllocates(t *testing.T) {
	m, r := text("q"), new(Message)
	for _, server := range []func(*Endpoint) error{serve, turns} {
		e := endpoint(t, Options{})
		go server(e)
		defer e.Kill(nil)
		e.Call(nil, nil, 0, m, r)
		if n := testing.AllocsPerRun(200, func() { e.Call(nil, nil, 0, m, r) }); n != 0 {
			t.Errorf("a call and its reply allocate %v times", n)
		}
	}
	q := endpoint(t, Options{})
	if n := testing.AllocsPerRun(200, func() { q.TrySend(m); q.TryRecv(r) }); n != 0 {
		t.Errorf("sending and receiving allocate %v times", n)
	}
}

func TestTable(t *testing.T) {
	if _, err := New(Config{Endpoints: -1}); err != ErrArgument {
		t.Error(err)
	}
	tab, err := New(Config{Endpoints: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{Capacity: -1}, {Capacity: MaxCapacity + 1}, {Waiters: -1}, {Waiters: MaxWaiters + 1}} {
		if _, err := tab.Create(o); err != ErrArgument {
			t.Errorf("%+v: %v", o, err)
		}
	}
	a, _ := tab.Create(Options{Owner: 7})
	b, _ := tab.Create(Options{Capacity: MaxCapacity})
	if _, err := tab.Create(Options{}); err != ErrFull {
		t.Errorf("a third: %v", err)
	}
	if tab.Find(a.Ref()) != a || tab.Find(b.Ref()) != b || tab.Find(2) != nil || tab.Find(1<<40) != nil {
		t.Error("not found, or too much")
	}
	a.TrySend(text("x"))
	var infos []Info
	tab.List(func(i Info) bool { infos = append(infos, i); return true })
	if len(infos) != 2 || infos[a.Ref()].Owner != 7 || infos[a.Ref()].Depth != 1 || infos[b.Ref()].Capacity != MaxCapacity {
		t.Errorf("%+v", infos)
	}
	if !tab.Remove(a, nil) || tab.Remove(a, nil) || tab.Find(a.Ref()) != nil || a.Err() != ErrDead {
		t.Error("removing")
	}
	n := 0
	tab.List(func(Info) bool { n++; return false })
	if c, err := tab.Create(Options{}); err != nil || c.Ref() != a.Ref() || n != 1 {
		t.Errorf("after removing: %v", err)
	}
}

package ipc

import (
	"context"
	"io"
	"runtime/trace"
	"testing"

	"pdac/kernel/cap"
	"pdac/kernel/rcu"
)

// late is a guard whose sleeper, once woken, is let on by the test, with an error or without.
type late struct {
	woken chan bool
	on    chan error
}

func newLate() *late { return &late{make(chan bool), make(chan error)} }

func (l *late) in() *Admission { return &Admission{Guard: l} }

func (l *late) Wait(_ cap.ID, _ cap.Perm, held rcu.Held, w *Watch) (rcu.Held, error) {
	w.Sleep()
	l.woken <- true
	return held, <-l.on
}

// quiet fails unless nobody waits and nothing is queued.
func quiet(t *testing.T, e *Endpoint) {
	t.Helper()
	if i := e.Info(); i.Senders+i.Receivers+i.Depth != 0 {
		t.Errorf("left %+v", i)
	}
	if n := e.callers.waiting() + e.room.waiters.waiting() + e.ready.waiters.waiting(); n != 0 {
		t.Errorf("%d places are taken", n)
	}
}

// receiver starts a Recv and returns when it waits.
func receiver(e *Endpoint, in *Admission, m *Message) chan error {
	n, done := e.Info().Receivers, make(chan error, 1)
	go func() { done <- e.Recv(nil, in, m) }()
	until(func() bool { return e.Info().Receivers == n+1 })
	return done
}

// A call finds its receiver waiting: its message takes no slot, and all the rest is as ever.
func TestHandedOver(t *testing.T) {
	e := endpoint(t, Options{Capacity: 1})
	var m, r Message
	m.Caps = 3 // of what was received before
	got, done := receiver(e, nil, &m), make(chan error)
	go func() { done <- e.Call(nil, nil, 0, text("q"), &r) }()
	if err := <-got; err != nil || string(m.Payload()) != "q" || m.Call == 0 || m.Caps != 0 {
		t.Fatalf("%v, %+v", err, m)
	}
	if e.slots[0].message.Len != 0 {
		t.Error("it took a slot")
	}
	if err := e.Reply(m.Call, text("a")); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil || string(r.Payload()) != "a" {
		t.Errorf("%v, %q", err, r.Payload())
	}
	if i := e.Info(); i.Sent != 1 || i.Received != 1 || i.Replied != 1 {
		t.Errorf("%+v", i)
	}
	quiet(t, e)
}

// A receiver is refused when he wakes up with a message in his hands: it is the next one's, and its
// caller hears of nothing.
func TestWindowRefusedOnWaking(t *testing.T) {
	e := endpoint(t, Options{})
	var m, n, r Message
	l, done := newLate(), make(chan error)
	refused := receiver(e, l.in(), &m)
	go func() { done <- e.Call(nil, nil, 0, text("q"), &r) }()
	<-l.woken
	next := receiver(e, nil, &n)
	l.on <- errRevoked
	if err := <-refused; err != errRevoked || m != (Message{}) {
		t.Errorf("%v, and received %+v", err, m)
	}
	if err := <-next; err != nil || string(n.Payload()) != "q" {
		t.Fatalf("%v, %q", err, n.Payload())
	}
	if err := e.Reply(n.Call, text("a")); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil || string(r.Payload()) != "a" {
		t.Errorf("%v, %q", err, r.Payload())
	}
	if i := e.Info(); i.Sent != 1 || i.Received != 1 {
		t.Errorf("%+v", i)
	}
	quiet(t, e)
}

// The caller gives up, or the endpoint dies, while the receiver who was handed the message is on his way.
func TestWindowCallerEndsOnTheWay(t *testing.T) {
	for _, refusal := range []error{nil, errRevoked} {
		for _, end := range []error{context.Canceled, ErrDead, errRevoked} {
			e := endpoint(t, Options{})
			var m, r Message
			l, g, done := newLate(), new(gate), make(chan error)
			ctx, cancel := context.WithCancel(context.Background())
			got := receiver(e, l.in(), &m)
			go func() { done <- e.Call(ctx, g.in(), 0, text("q"), &r) }()
			<-l.woken
			switch end {
			case ErrDead:
				e.Kill(nil)
			case errRevoked:
				until(func() bool { return g.leaves.Load() == 1 })
				g.revoke()
			default:
				cancel()
			}
			if err := <-done; err != end {
				t.Errorf("the caller got %v, want %v", err, end)
			}
			l.on <- refusal
			if err := <-got; err != refusal {
				t.Errorf("the receiver got %v, want %v", err, refusal)
			}
			if refusal == nil && string(m.Payload()) != "q" {
				t.Errorf("received %q", m.Payload())
			}
			if refusal == nil && end != ErrDead {
				if err := e.Reply(m.Call, text("late")); err != ErrNoCall {
					t.Errorf("a reply to who gave up: %v", err)
				}
			}
			cancel()
			quiet(t, e)
		}
	}
}

// The endpoint dies between claim and copy: the receiver has the message, who calls hears of the death.
func TestWindowDeathWhileHandingOver(t *testing.T) {
	e := endpoint(t, Options{})
	var m Message
	got := receiver(e, nil, &m)
	c := e.callers.take()
	c.open()
	call := e.beginCall(c)
	e.ready.balance.Add(1)
	p, w := e.ready.waiters.longest()
	p.word.Store(w - waiting + serving)
	e.Kill(nil)
	text("q").copyData(p.letter)
	p.letter.Call = call
	p.word.Store(w - waiting + handed)
	p.unpark()
	if err := <-got; err != nil || string(m.Payload()) != "q" {
		t.Errorf("%v, %q", err, m.Payload())
	}
	if c.state() != dead {
		t.Error("the caller waits")
	}
	if err := e.Reply(m.Call, &m); err != ErrDead {
		t.Error(err)
	}
}

// Nothing is handed over at an endpoint that is dying, whose receivers don't know yet.
func TestWindowHandingOverToTheDying(t *testing.T) {
	e := endpoint(t, Options{})
	got := receiver(e, nil, new(Message))
	e.fate.Store(&fate{ErrDead})
	if e.hand(text("q"), 1) != nil || e.Info().Receivers != 1 {
		t.Errorf("handed over: %+v", e.Info())
	}
	e.ready.close()
	if err := <-got; err != ErrDead {
		t.Error(err)
	}
}

// A message is in the queue and not counted yet: a call must not overtake it.
func TestWindowHandingOverPastTheQueue(t *testing.T) {
	e := endpoint(t, Options{})
	var m Message
	got := receiver(e, nil, &m)
	e.room.try()
	i, _ := e.free.Pop(e.links)
	text("first").copyTo(&e.slots[i].message)
	e.queue.Push(e.nodes, e.slots[i].node, uint64(i))
	if e.hand(text("second"), 1) != nil {
		t.Fatal("overtaken")
	}
	e.ready.release()
	if err := <-got; err != nil || string(m.Payload()) != "first" {
		t.Errorf("%v, %q", err, m.Payload())
	}
	quiet(t, e)
}

// Who was handed a message before he was counted finds a permit: that is for who is counted.
func TestWindowHandedBeforeCounted(t *testing.T) {
	e := endpoint(t, Options{})
	p := e.ready.waiters.take()
	p.open()
	p.letter = new(Message)
	e.ready.waiters.begin(p) // first in the row, not counted
	var m Message
	got := receiver(e, nil, &m)
	if e.hand(text("call"), 1) != &p.parker {
		t.Fatal("not handed to the first")
	}
	e.TrySend(text("send"))
	if err := e.ready.wait(p, nil, nil, nil); err != nil || p.state() != handed || string(p.letter.Payload()) != "call" {
		t.Errorf("%v, state %d, %q", err, p.state(), p.letter.Payload())
	}
	p.end()
	if err := <-got; err != nil || string(m.Payload()) != "send" {
		t.Errorf("%v, %q", err, m.Payload())
	}
	quiet(t, e)
}

// Who gave up counted himself out, and so did who handed him a message: another, who waits, is counted
// in again, and served if a permit came meanwhile.
func TestWindowGivingUpWhatIsHanded(t *testing.T) {
	for _, sent := range []bool{false, true} {
		e := endpoint(t, Options{})
		p := e.ready.waiters.take()
		p.open()
		p.letter = new(Message)
		e.ready.waiters.begin(p)
		e.ready.balance.Add(-1)
		var m Message
		got := make(chan error, 1)
		go func() { got <- e.Recv(nil, nil, &m) }()
		until(func() bool { return e.Info().Receivers == 2 })
		e.ready.balance.Add(1) // counts himself out
		if e.hand(text("call"), 1) != &p.parker {
			t.Fatal("not handed to the first")
		}
		if sent {
			e.TrySend(text("send"))
		}
		e.ready.recount()
		p.end()
		if !sent {
			if n := e.Info().Receivers; n != 1 {
				t.Errorf("%d wait, one does", n)
			}
			e.TrySend(text("send"))
		}
		if err := <-got; err != nil || string(m.Payload()) != "send" {
			t.Errorf("%v, %q", err, m.Payload())
		}
		quiet(t, e)
	}
}

// A trace begins and ends while processors change hands.
func TestTurnsWhileTracing(t *testing.T) {
	if trace.IsEnabled() {
		t.Fatal("a trace of the test itself")
	}
	e := endpoint(t, Options{})
	served, stop := make(chan error), make(chan bool)
	go func() { served <- turns(e) }()
	go func() {
		defer close(stop)
		for range 5 {
			if err := trace.Start(io.Discard); err != nil {
				t.Error(err)
				return
			}
			n := e.counts.replied.Load()
			until(func() bool { return e.counts.replied.Load() > n+100 })
			trace.Stop()
		}
	}()
	var m Message
	for going := true; going; {
		select {
		case <-stop:
			going = false
		default:
			if err := e.Call(nil, nil, 0, text("q"), &m); err != nil {
				t.Fatal(err)
			}
		}
	}
	e.Kill(nil)
	if err := <-served; err != ErrDead {
		t.Error(err)
	}
}

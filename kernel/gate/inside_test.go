package gate

import (
	"context"
	"errors"
	"testing"

	"pdac/kernel/ipc"
)

// Code of the caller's must not find itself in a section and wait for it.

// A formula's function that sends a capability by transfer is told that it can't, and is not kept.
func TestSendFromInsideAFormula(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	carried := derive(t, b.root.Clock, Read|Transfer)
	var sent, revoked error
	id := must(CapDerive(b.root.Clock, 0, Read, Options{Formula: &Formula{Func: func(Info) bool {
		sent = EndpointTrySend(e, &Message{Caps: 1, Cap: [ipc.MaxCaps]Carried{{ID: carried, Mode: ByTransfer}}})
		revoked = CapRevoke(b.root.Clock, carried)
		return true
	}}}))
	must(TimeNow(id))
	if !errors.Is(sent, ErrInside) || !errors.Is(revoked, ErrInside) {
		t.Errorf("inside: %v, %v", sent, revoked)
	}
	must(TimeNow(carried))
	quiet(t)
}

// meddler is a context with methods of the caller's.
type meddler struct {
	context.Context
	meddle func()
}

func (m meddler) Done() <-chan struct{} { m.meddle(); return m.Context.Done() }
func (m meddler) Err() error            { m.meddle(); return m.Context.Err() }
func (m meddler) Value(key any) any     { m.meddle(); return m.Context.Value(key) }

// A context's methods may revoke: they are not called in the section of the call.
func TestContextsMayRevoke(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{Capacity: 1}))
	ok(t, EndpointTrySend(e, new(Message)))
	for name, call := range map[string]func(context.Context) error{
		"Send": func(ctx context.Context) error { return EndpointSend(e, ctx, new(Message)) },
		"Call": func(ctx context.Context) error { return EndpointCall(e, ctx, new(Message), new(Message)) },
		"Recv": func(ctx context.Context) error {
			empty := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
			return EndpointRecv(empty, ctx, new(Message))
		},
		"Join": func(ctx context.Context) error {
			stop := make(chan struct{})
			defer close(stop)
			return TaskJoin(must(Spawn(b.root.Task, TaskOptions{}, func() { <-stop })), ctx)
		},
	} {
		inner, cancel := context.WithCancel(context.Background())
		cancel()
		meddled := false
		err := call(meddler{inner, func() {
			meddled = true
			ok(t, CapRevoke(b.root.Clock, derive(t, b.root.Clock, Read)))
		}})
		if !errors.Is(err, context.Canceled) || !meddled {
			t.Errorf("%s: %v, meddled: %t", name, err, meddled)
		}
	}
	quiet(t)
}

// A formula's function that takes its time holds up no Revoke, whatever call it is asked about.
func TestFunctionTakesItsTime(t *testing.T) {
	b := openGate(t)
	asked, answer := make(chan bool), make(chan bool)
	slow := func(id ID) ID {
		return must(CapDerive(id, 0, All&must(CapInfo(id)).Perms, Options{Formula: &Formula{Func: func(Info) bool {
			asked <- true
			return <-answer
		}}}))
	}
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	clock, console := slow(b.root.Clock), slow(b.root.Console)
	message := func(mode ipc.Mode) *Message {
		return &Message{Caps: 1, Cap: [ipc.MaxCaps]Carried{{ID: clock, Mode: mode, Keep: Read}}}
	}
	for _, c := range []struct {
		name string
		call func() error
	}{
		{"TimeNow", func() error { _, err := TimeNow(clock); return err }},
		{"CapDerive", func() error { _, err := CapDerive(clock, 0, Read, Options{}); return err }},
		{"NewSpace", func() error { _, err := NewSpace(b.root.Spaces, Authority{Console: console}); return err }},
		{"EndpointSend", func() error { return EndpointSend(e, nil, message(ByDerive)) }},
		{"EndpointTrySend", func() error { return EndpointTrySend(e, message(ByTransfer)) }}, // the last: it ends clock
	} {
		done := make(chan error)
		go func() { done <- c.call() }()
		<-asked
		ok(t, CapRevoke(b.root.Clock, derive(t, b.root.Clock, Read)))
		answer <- true
		if err := <-done; err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	quiet(t)
}

// Nor is the consent to a call one to what is done inside of it: of two capabilities in a message, the
// function of the second can't use the first as often as it likes.
func TestConsentIsForOneUse(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	asked, used := 0, error(nil)
	first := must(CapDerive(b.root.Clock, 0, Read|Delegate, Options{Formula: &Formula{Func: func(Info) bool {
		asked++
		return true
	}}}))
	second := must(CapDerive(b.root.Clock, 0, Read|Delegate, Options{Formula: &Formula{Func: func(Info) bool {
		_, used = TimeNow(first)
		return true
	}}}))
	ok(t, EndpointTrySend(e, &Message{Caps: 2, Cap: [ipc.MaxCaps]Carried{
		{ID: first, Mode: ByDerive, Keep: Read},
		{ID: second, Mode: ByDerive, Keep: Read},
	}}))
	if asked != 1 || !errors.Is(used, ErrInside) {
		t.Errorf("asked %d times about one use, and another inside: %v", asked, used)
	}
	quiet(t)
}

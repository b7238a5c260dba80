package ipc

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// turns replies and receives in one call, until the endpoint dies.
func turns(e *Endpoint) error {
	var m Message
	err := e.Recv(nil, nil, &m)
	for err == nil || err == ErrNoCall {
		if err == ErrNoCall { // the caller gave up
			err = e.Recv(nil, nil, &m)
		} else {
			err = e.ReplyRecv(nil, nil, m.Call, &m)
		}
	}
	return err
}

// Whatever becomes of the receiving, who was answered wakes up.
func TestReplyRecvWakesTheCaller(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	refused := new(gate)
	refused.revoked.Store(true)
	for name, c := range map[string]struct {
		ctx  context.Context
		g    *Admission
		more bool // there is another message
		want error
	}{
		"another message": {more: true},
		"refused":         {g: refused.in(), want: errRevoked},
		"canceled":        {ctx: canceled, want: context.Canceled},
	} {
		e := endpoint(t, Options{})
		done := make(chan error)
		var m, r Message
		go func() { done <- e.Call(nil, nil, 0, text("q"), &r) }()
		if err := e.Recv(nil, nil, &m); err != nil {
			t.Fatal(err)
		}
		if c.more {
			e.TrySend(text("more"))
		}
		m.Put([]byte("a"))
		if err := e.ReplyRecv(c.ctx, c.g, m.Call, &m); err != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-done; err != nil || string(r.Payload()) != "a" {
			t.Errorf("%s: the caller got %q, %v", name, r.Payload(), err)
		}
		if c.more && string(m.Payload()) != "more" {
			t.Errorf("received %q", m.Payload())
		}
		if i := e.Info(); i.Receivers+i.Callers != 0 {
			t.Errorf("%s left %+v", name, i)
		}
	}
}

func TestReplyRecvWakesTheCallerInACrowd(t *testing.T) {
	e := endpoint(t, Options{Waiters: 64})
	done := make(chan error)
	var m Message
	go func() { done <- e.Call(nil, nil, 0, text("q"), new(Message)) }()
	e.Recv(nil, nil, &m)
	for range 64 {
		go e.Recv(nil, nil, new(Message))
	}
	until(func() bool { return e.Info().Receivers == 64 })
	if err := e.ReplyRecv(nil, nil, m.Call, &m); err != ErrCrowded {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	e.Kill(nil)
}

// What isn't answered is not followed by a Recv.
func TestReplyRecvOfNoCall(t *testing.T) {
	e := endpoint(t, Options{})
	e.TrySend(text("x"))
	m := text("m")
	if err := e.ReplyRecv(nil, nil, 1, m); err != ErrNoCall || string(m.Payload()) != "m" {
		t.Errorf("%v, %q", err, m.Payload())
	}
	if err := e.ReplyRecv(nil, nil, 1, &Message{Len: -1}); err != ErrTooLong {
		t.Error(err)
	}
	if i := e.Info(); i.Depth != 1 || i.Replied != 0 {
		t.Errorf("%+v", i)
	}
	e.Kill(nil)
	if err := e.ReplyRecv(nil, nil, 1, m); err != ErrDead {
		t.Error(err)
	}
}

// Processors change hands between all sorts of goroutines: locked to their threads and not, those
// who give up, with collections and others who want to run in between; and the endpoint dies.
func TestTurnsTorture(t *testing.T) {
	const servers, callers = 2, 6
	calls := 2000
	if testing.Short() {
		calls = 300
	}
	e := endpoint(t, Options{Capacity: 2})
	var served, wg sync.WaitGroup
	for w := range servers {
		served.Go(func() {
			if w == 1 {
				runtime.LockOSThread()
			}
			if err := turns(e); err != ErrDead {
				t.Error(err)
			}
		})
	}
	var stop atomic.Bool
	served.Go(func() {
		for !stop.Load() {
			runtime.GC()
			runtime.Gosched()
		}
	})
	var replies atomic.Uint64
	for w := range callers {
		wg.Go(func() {
			if w%3 == 1 {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			var r Message
			for i := range calls {
				ctx := context.Context(nil)
				if w%3 == 2 {
					c, cancel := context.WithCancel(context.Background())
					defer cancel()
					go cancel()
					ctx = c
				}
				want := fmt.Sprint(w, ":", i)
				switch err := e.Call(ctx, nil, 0, text(want), &r); {
				case err == nil && string(r.Payload()) == want:
					replies.Add(1)
				case err == context.Canceled && ctx != nil:
				default:
					t.Errorf("asked %q, got %q, %v", want, r.Payload(), err)
				}
			}
		})
	}
	wg.Wait()
	stop.Store(true)
	e.Kill(nil)
	served.Wait()
	if i := e.Info(); replies.Load() > i.Replied || i.Sent != i.Received+i.Dropped {
		t.Errorf("%d replies, %+v", replies.Load(), i)
	}
	if n := e.callers.waiting() + e.room.waiters.waiting() + e.ready.waiters.waiting(); n != 0 {
		t.Errorf("%d places are taken", n)
	}
}

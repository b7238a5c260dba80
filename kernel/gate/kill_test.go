package gate

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pdac/kernel/ipc"
)

// TestKillInCapabilities: the calls of family cap, which are not admitted as the others are, end a killed
// task too.
func TestKillInCapabilities(t *testing.T) {
	b := openGate(t)
	id := derive(t, b.root.Clock, Read)
	for name, call := range map[string]func(){
		"Derive":   func() { CapDerive(0, 0, Read, Options{}) },
		"Grant":    func() { CapGrant(0, 0, Read) },
		"Narrow":   func() { CapNarrow(0, 0, Read) },
		"Revoke":   func() { CapRevoke(0, 0) },
		"Transfer": func() { CapTransfer(0, 0) },
		"Delete":   func() { CapDelete(0) },
		"Info":     func() { CapInfo(id) },
		"Fund":     func() { CapFund(0, 1) },
	} {
		var enough atomic.Bool
		task := must(Spawn(b.root.Task, TaskOptions{}, func() {
			for !enough.Load() {
				call()
			}
		}))
		until(t, "the task", func() bool { return must(TaskState(task)).Thread != 0 })
		ok(t, TaskKill(task))
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := TaskJoin(task, soon); !errors.Is(err, ErrKilled) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		enough.Store(true)
		TaskJoin(task, nil)
	}
	quiet(t)
}

// TestKillSparesThread: a task that has unlocked itself from its thread leaves it to others, who don't
// end in its place.
func TestKillSparesThread(t *testing.T) {
	b := openGate(t)
	stop, unlocked := make(chan struct{}), make(chan struct{})
	id := must(Spawn(b.root.Task, TaskOptions{}, func() {
		runtime.UnlockOSThread()
		close(unlocked)
		<-stop
		TimeNow(b.root.Clock)
		t.Error("the task went on")
	}))
	<-unlocked
	ok(t, TaskKill(id))
	var others sync.WaitGroup
	var went atomic.Int32
	for range 16 {
		others.Go(func() {
			for range 200 {
				TimeNow(b.root.Clock)
				time.Sleep(10 * time.Microsecond) // comes back on any thread
			}
			went.Add(1)
		})
	}
	others.Wait()
	if n := went.Load(); n != 16 {
		t.Errorf("%d of 16 others went on", n)
	}
	close(stop)
	want(t, TaskJoin(id, nil), ErrKilled)
	quiet(t)
}

// TestKillInDeferred: a killed task whose deferred functions don't end is demoted, as one that makes no call.
func TestKillInDeferred(t *testing.T) {
	b := openGate(t)
	stop := make(chan struct{})
	id := must(Spawn(b.root.Task, TaskOptions{Class: Latency}, func() {
		defer func() {
			for {
				TimeNow(b.root.Clock)
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
		TaskSleep(b.root.Task, time.Hour)
	}))
	until(t, "the task", func() bool { return must(TaskState(id)).Thread != 0 })
	thread := must(TaskState(id)).Thread
	ok(t, TaskKill(id))
	until(t, "the demotion", func() bool { o, _ := b.threads.of(thread); return o.Class == Batch })
	close(stop)
	want(t, TaskJoin(id, nil), ErrKilled)
	quiet(t)
}

// TestKillGivesBack kills tasks where they wait at an endpoint, while what they wait for comes: no place,
// permit or section is left behind.
func TestKillGivesBack(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{Capacity: 2, Waiters: 1}))
	info := func() (i ipc.Info) {
		b.op.Endpoints(func(x ipc.Info) bool { i = x; return true })
		return i
	}
	bare := func(f func(ctx context.Context) error) { // of others, who must not wait for ever for a task that was killed
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		f(ctx)
	}
	send := func(ctx context.Context) error { return EndpointSend(e, ctx, &Message{}) }
	recv := func(ctx context.Context) error { return EndpointRecv(e, ctx, &Message{}) }
	call := func(ctx context.Context) error { return EndpointCall(e, ctx, &Message{}, &Message{}) }
	serve := func(ctx context.Context) error {
		var m Message
		if err := EndpointRecv(e, ctx, &m); err != nil || m.Call == 0 {
			return err
		}
		return EndpointReply(e, m.Call, &m)
	}
	turn := func(ctx context.Context) error {
		var m Message
		err := EndpointRecv(e, ctx, &m)
		for err == nil && m.Call != 0 {
			err = EndpointReplyRecv(e, ctx, m.Call, &m)
		}
		return err
	}
	for i, c := range []struct{ victim, other func(context.Context) error }{{recv, send}, {recv, call}, {send, recv}, {call, serve}, {turn, call}, {serve, call}} {
		for n := range 150 {
			id := must(Spawn(b.root.Task, TaskOptions{}, func() {
				for {
					c.victim(nil)
				}
			}))
			var done sync.WaitGroup
			done.Go(func() {
				for range 1 + n%4 {
					bare(c.other)
				}
			})
			for range n % 13 * 10 {
				runtime.Gosched()
			}
			ok(t, TaskKill(id))
			want(t, TaskJoin(id, nil), ErrKilled)
			done.Wait()
		}
		for EndpointTryRecv(e, &Message{}) == nil {
		}
		if x := info(); x.Senders != 0 || x.Receivers != 0 || x.Callers != 0 || x.Depth != 0 {
			t.Fatalf("pair %d leaves %+v", i, x)
		}
		for range 2 { // all of the room is there, and a place to wait for each
			ok(t, EndpointTrySend(e, &Message{}))
		}
		want(t, EndpointTrySend(e, &Message{}), ErrWouldBlock)
		for range 2 {
			ok(t, EndpointTryRecv(e, &Message{}))
		}
		bareIs := func(f func(context.Context) error) {
			bare(func(ctx context.Context) error { err := f(ctx); want(t, err, context.DeadlineExceeded); return nil })
		}
		bareIs(recv)
		bareIs(call)
		ok(t, EndpointTryRecv(e, &Message{}))
	}
	if n := core.pending.Load(); n != 0 {
		t.Errorf("%d kills are pending", n)
	}
	quiet(t)
}

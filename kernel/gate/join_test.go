package gate

import (
	"sync"
	"sync/atomic"
	"testing"
)

// TestJoinEnds: who waits for a task is woken when his capability ends, and when he is killed himself.
func TestJoinEnds(t *testing.T) {
	b := openGate(t)
	stop := make(chan struct{})
	id := must(Spawn(b.root.Task, TaskOptions{}, func() { <-stop }))
	for range 100 {
		mine := derive(t, id, Read)
		joined := make(chan error)
		go func() { joined <- TaskJoin(mine, nil) }()
		ok(t, CapRevoke(id, mine))
		want(t, <-joined, ErrRevoked)

		joiner := must(Spawn(b.root.Task, TaskOptions{}, func() { t.Errorf("joined: %v", TaskJoin(id, nil)) }))
		ok(t, TaskKill(joiner))
		want(t, TaskJoin(joiner, nil), ErrKilled)
	}
	close(stop)
	ok(t, TaskJoin(id, nil))
	quiet(t)
}

// TestSpaceEndsBeforeTask: a task whose space ends goes on without authority, and so do those that wait in it.
func TestSpaceEndsBeforeTask(t *testing.T) {
	b := openGate(t)
	for range 20 {
		home := must(NewSpace(b.root.Spaces, Authority{}))
		var inner, e, clock ID
		var refused atomic.Bool
		stop := make(chan struct{})
		in(t, home, func() {
			clock = must(CapDerive(b.root.Clock, 0, Read, Options{}))
			e = must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
			inner = must(Spawn(b.root.Task, TaskOptions{}, func() { <-stop }))
		})
		var waiters sync.WaitGroup
		waiters.Add(2)
		caller := must(Spawn(b.root.Task, TaskOptions{Space: home}, func() {
			for {
				if _, err := TimeNow(clock); err != nil {
					refused.Store(true)
					return
				}
			}
		}))
		receiver := must(Spawn(b.root.Task, TaskOptions{Space: home}, func() {
			if EndpointRecv(e, nil, &Message{}) == nil {
				t.Error("received")
			}
			waiters.Done()
		}))
		joiner := must(Spawn(b.root.Task, TaskOptions{Space: home}, func() {
			if TaskJoin(inner, nil) == nil {
				t.Error("joined")
			}
			waiters.Done()
		}))
		ok(t, CapDelete(home))
		for _, id := range []ID{caller, receiver, joiner} {
			ok(t, TaskJoin(id, nil))
		}
		waiters.Wait()
		if !refused.Load() {
			t.Error("a call in a space that has ended")
		}
		close(stop)
	}
	quiet(t)
}

package gate

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"pdac/kernel/ipc"
)

// blocked counts what waits under a capability.
func blocked(t testing.TB, id ID, make func() error, n int) (errs chan error) {
	errs = newChan(n)
	for range n {
		go func() { errs <- make() }()
	}
	return errs
}

func admitted(c call) uint64 {
	n, _ := c.count()
	return n
}

func newChan(n int) chan error { return make(chan error, n) }

// TestBlockedCalls: each call that blocks is woken by the revocation, and by the narrowing, of its
// capability, while others of the same object go on waiting.
func TestBlockedCalls(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{Capacity: 1}))
	full := must(EndpointCreate(b.root.Endpoints, EndpointOptions{Capacity: 1}))
	ok(t, EndpointTrySend(full, &Message{}))
	timer := must(TimerCreate(b.root.Clock, 1<<62, 0))
	for c, id := range map[call]ID{
		endpointRecv: e, endpointSend: full, endpointCall: full, timerWait: timer, timeSleep: b.root.Clock,
		taskSleep: b.root.Task, consoleRead: b.root.Console,
	} {
		t.Run(callTable[c].name, func(t *testing.T) {
			entry := callTable[c]
			for _, narrow := range []bool{false, true} {
				child := derive(t, id, entry.Need|Revoke)
				other := derive(t, id, entry.Need|Revoke)
				sent := admitted(c)
				make := func(id ID) func() error {
					return func() error {
						a := good(t, b, id)
						a.d = time.Hour
						return callers[c](a)
					}
				}
				const n = 20
				errs := blocked(t, child, make(child), n)
				others := blocked(t, other, make(other), n)
				until(t, "calls to begin", func() bool { return admitted(c) == sent+2*n })
				if narrow {
					ok(t, CapNarrow(id, child, 0))
				} else {
					ok(t, CapRevoke(id, child))
				}
				for range n {
					if err := <-errs; narrow {
						want(t, err, ErrPermission)
					} else {
						want(t, err, ErrRevoked)
					}
				}
				select {
				case err := <-others:
					t.Fatalf("another one's call ended: %v", err)
				default:
				}
				ok(t, CapRevoke(id, other))
				for range n {
					want(t, <-others, ErrRevoked)
				}
				quiet(t)
			}
		})
	}
}

// TestCollectionWhileBlocked: the collector waits for nobody who is blocked in a call.
func TestCollectionWhileBlocked(t *testing.T) {
	b := openGate(t)
	const n = 1000
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{Waiters: n}))
	errs := blocked(t, e, func() error { return EndpointRecv(e, nil, &Message{}) }, n)
	until(t, "receivers", func() bool {
		n := 0
		b.op.Endpoints(func(i ipc.Info) bool { n += i.Receivers; return true })
		return n == 1000
	})
	runtime.GC()
	core.rcu.Synchronize() // nor does a grace period
	ok(t, CapDelete(e))
	for range n {
		if err := <-errs; !errors.Is(err, ErrRevoked) && !errors.Is(err, ErrDead) {
			t.Fatal(err)
		}
	}
	quiet(t)
}

package ipc

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// A call whose capability is revoked ends, whatever it waits for, and takes nothing with it.
func TestRevocationEndsWaits(t *testing.T) {
	e := endpoint(t, Options{Capacity: 1})
	var m, r Message
	for name, f := range map[string]func(g *gate) error{
		"Recv": func(g *gate) error { return e.Recv(nil, g.in(), &m) },
		"Call": func(g *gate) error { return e.Call(nil, g.in(), 0, text("c"), &r) },
		"Send": func(g *gate) error {
			e.TrySend(text("s"))
			return e.Send(nil, g.in(), text("t"))
		},
	} {
		g := new(gate)
		done := make(chan error)
		go func() { done <- f(g) }()
		until(func() bool { return g.leaves.Load() >= 1 })
		g.revoke()
		if err := <-done; err != errRevoked {
			t.Errorf("%s: %v", name, err)
		}
		e.TryRecv(&m) // what Call and the first Send left
		if err := f(g); err != errRevoked {
			t.Errorf("%s, revoked before: %v", name, err)
		}
		e.TryRecv(&m)
		if i := e.Info(); i.Senders+i.Receivers+i.Callers+i.Depth != 0 {
			t.Errorf("%s left %+v", name, i)
		}
	}
}

// A message that was on its way to a receiver who may not have it any more is the next one's.
func TestRevocationLosesNoMessage(t *testing.T) {
	e := endpoint(t, Options{})
	for range 200 {
		g := new(gate)
		done, second := make(chan error), make(chan error)
		var m, n Message
		go func() { done <- e.Recv(nil, g.in(), &m) }()
		until(func() bool { return g.leaves.Load() >= 1 }) // a wake of the last round may come now
		go func() { second <- e.Recv(nil, nil, &n) }()
		until(func() bool { return e.Info().Receivers == 2 })
		go g.revoke()
		e.TrySend(text("x"))
		err := <-done
		if err == nil {
			e.TrySend(text("y"))
		}
		if err := <-second; err != nil {
			t.Fatal(err)
		}
		if err != nil && err != errRevoked {
			t.Fatal(err)
		}
	}
	if i := e.Info(); i.Sent != i.Received || i.Depth != 0 {
		t.Errorf("%+v", i)
	}
}

// Blocked calls are goroutines: they hold no thread, and no collection up.
func TestCollectionsGoOnWithAThousandBlocked(t *testing.T) {
	const n = 1000
	e := endpoint(t, Options{Waiters: n})
	var wg sync.WaitGroup
	var mu sync.Mutex
	var got []string
	for range n {
		wg.Go(func() {
			var m Message
			if err := e.Recv(nil, nil, &m); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			got = append(got, string(m.Payload()))
			mu.Unlock()
		})
	}
	until(func() bool { return e.Info().Receivers == n })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&after)
	if after.NumGC-before.NumGC < 3 {
		t.Errorf("%d collections", after.NumGC-before.NumGC)
	}
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(i))
		if err := e.Send(nil, nil, text(want[i])); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d messages received of %d", len(got), n)
	}
}

package dag

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
)

// After a cancellation functions under way end, no other is called, and the run says why.
func TestCancelWhileRunning(t *testing.T) {
	e := open(t, Config{Workers: 4})
	for range 50 {
		ctx, cancel := context.WithCancelCause(t.Context())
		var calls atomic.Int32
		g := New("cancelled")
		last := g.Func("first", nothing)
		for i := range 100 {
			last = g.Func("f", func(ctx context.Context) error {
				calls.Add(1)
				if i == 49 {
					cancel(errBoom)
					<-ctx.Done() // it is the context that Submit got
				}
				return nil
			}, last)
		}
		err := e.Run(ctx, g)
		cancel(nil)
		var at *Error
		if !errors.As(err, &at) || at.Path != nil || !errors.Is(err, errBoom) || at.Graph != "cancelled" {
			t.Fatalf("error %v, want the cause of the cancellation", err)
		}
		if got := calls.Load(); got != 50 {
			t.Fatalf("%d functions were called, want 50", got)
		}
	}
	if s := e.Stats(); s.Cancelled != 50 || s.Failed != 0 || s.Functions != 50*51 || s.Passed != 50*50 {
		t.Errorf("stats %+v", s)
	}
}

// A run that is cancelled at any moment either says so, or has called all its functions.
func TestCancelAtAnyTime(t *testing.T) {
	e := open(t, Config{Workers: 3})
	const size = 64
	var calls atomic.Int32
	g := New("raced")
	root := g.Func("root", func(context.Context) error { calls.Add(1); return nil })
	for range size - 1 {
		g.Func("f", func(context.Context) error { calls.Add(1); return nil }, root)
	}
	var cancelled, whole int
	for round := range 500 {
		ctx, cancel := context.WithCancel(t.Context())
		calls.Store(0)
		r, err := e.Submit(ctx, g)
		if err != nil {
			t.Fatal(err)
		}
		for range round * 20 {
			if calls.Load() == size {
				break
			}
		}
		cancel()
		switch err, n := r.Wait(), calls.Load(); {
		case err == nil && n == size:
			whole++
		case errors.Is(err, context.Canceled) && n < size:
			cancelled++
		default:
			t.Fatalf("error %v after %d of %d calls", err, n, size)
		}
	}
	if whole == 0 || cancelled == 0 {
		t.Logf("%d runs were whole, %d cancelled", whole, cancelled)
	}
}

func TestCancelledBefore(t *testing.T) {
	e := open(t, Config{Workers: 2})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := New("never")
	g.Func("f", func(context.Context) error { t.Error("called"); return nil })
	if err := e.Run(ctx, g); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// rude is a context that isn't of the standard library's making, and whose Err doesn't return.
type rude struct {
	context.Context
	end func()
}

func (r rude) Value(any) any { return nil }
func (r rude) Err() error    { r.end(); return nil }

// The context is the submitter's, too: what its methods do fails the run, and not the worker.
func TestCancelByRudeContext(t *testing.T) {
	e := open(t, Config{Workers: 2})
	for _, c := range []struct {
		end  func()
		want error
	}{{func() { panic(errBoom) }, errBoom}, {runtime.Goexit, ErrGoexit}} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		g := New("rude")
		g.Func("second", nothing, g.Func("first", nothing))
		if err := e.Run(rude{ctx, c.end}, g); !errors.Is(err, c.want) {
			t.Errorf("error %v, want %v", err, c.want)
		}
		if err := e.Run(ctx, g); !errors.Is(err, context.Canceled) {
			t.Errorf("then: %v", err)
		}
	}
}

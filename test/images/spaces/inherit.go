package main

import (
	"context"
	"iter"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"

	"pdac/kernel/space"
)

// early is the space of a goroutine that an init function started.
var early = make(chan uint32, 1)

func init() {
	go func() { early <- space.Get() }()
}

// inherit checks who is born in which space.
func inherit() {
	want(space.Root, "main")
	s := <-early
	check(s == space.Root, "a goroutine of an init function: in space %d, want the root's", s)

	in(reader, func() {
		var wg sync.WaitGroup
		wg.Go(func() {
			want(reader, "a child")
			wg.Go(func() { want(reader, "a grandchild") })
			space.Set(nobody)
		})
		wg.Wait()
		want(reader, "the parent of one that went elsewhere")
		labels()
		coroutine()
		cancelled()
		afterwards()
	})
	want(space.Root, "main, after all")
}

// labels: a goroutine's labels and its space have nothing to do with each other.
func labels() {
	forged := pprof.Labels("space", "1", "pdac.space", "1", "", "\x01\x00\x00\x00")
	pprof.Do(context.Background(), forged, func(ctx context.Context) {
		want(reader, "in pprof.Do")
		done := make(chan bool)
		go func() {
			want(reader, "a child in pprof.Do")
			close(done)
		}()
		<-done
		pprof.Do(ctx, pprof.Labels("more", "1"), func(context.Context) { want(reader, "in the inner pprof.Do") })
		want(reader, "after the inner pprof.Do")
	})
	want(reader, "after pprof.Do")
	pprof.SetGoroutineLabels(context.Background())
	want(reader, "without labels")
	runtime.GC()
	want(reader, "after a collection")
}

// coroutine: iter.Pull's function runs in the space that Pull was called in,
// whoever calls next.
func coroutine() {
	next, stop := iter.Pull(func(yield func(uint32) bool) {
		for yield(space.Get()) {
		}
	})
	s, _ := next()
	check(s == reader, "a coroutine: in space %d, want %d", s, reader)
	in(nobody, func() {
		s, _ := next()
		check(s == reader, "a coroutine that another space resumes: in space %d, want %d", s, reader)
		want(nobody, "the one that resumed it")
	})
	stop()
}

// cancelled: context.AfterFunc's function runs in the space that AfterFunc was called in, whoever cancels:
// another space, a deadline, who cancels above, or nobody that had to.
func cancelled() {
	who := make(chan uint32, 1)
	report := func() {
		go func() { who <- space.Get() }() // its children too
	}
	expect := func(what string) {
		s := <-who
		check(s == reader, "context.AfterFunc's function, %s: in space %d, want %d", what, s, reader)
	}
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(ctx, report)
	in(space.Root, cancel)
	expect("cancelled by the root")
	context.AfterFunc(ctx, report)
	expect("called at once")

	above, cancelAbove := context.WithCancelCause(context.Background())
	below, end := context.WithTimeout(context.WithValue(above, early, 1), time.Hour)
	defer end()
	context.AfterFunc(below, report)
	in(space.Root, func() { cancelAbove(nil) })
	expect("cancelled above by the root")

	late, end := context.WithTimeout(context.Background(), time.Millisecond)
	defer end()
	context.AfterFunc(late, report)
	expect("after a deadline")

	ctx, cancel = context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, report)
	check(stop(), "context.AfterFunc's function can't be stopped")
	in(space.Root, cancel)
	want(reader, "who called context.AfterFunc")
	check(len(who) == 0, "context.AfterFunc's function ran, which was stopped")
}

// afterwards: what the runtime starts has no space, on whatever g of a goroutine
// that had one, and neither has what that starts.
func afterwards() {
	for range 10 {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { want(reader, "one of many") })
		}
		wg.Wait()
		runtime.GC()

		const each = 10
		got := make(chan string)
		report := func(who string) func() {
			return func() {
				want(space.None, who)
				go func() {
					want(space.None, "a child of "+who)
					got <- who
				}()
			}
		}
		for range each {
			time.AfterFunc(time.Millisecond, report("AfterFunc"))
			runtime.AddCleanup(&[64]byte{1}, func(f func()) { f() }, report("a cleanup"))
			runtime.SetFinalizer(&[64]byte{1}, func(*[64]byte) { report("a finalizer")() })
		}
		for n := 0; n < 3*each; {
			select {
			case <-got:
				n++
			case <-time.After(10 * time.Millisecond):
				runtime.GC()
			}
		}
	}
}

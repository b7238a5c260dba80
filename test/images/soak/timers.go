package main

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// early checks that at least d passed since start.
func early(what string, start time.Time, d time.Duration) {
	if got := time.Since(start); got < d {
		bad("%s: %v after %v, which is early", what, d, got)
	}
}

// sleeps sleeps in the runtime, and in the kernel, whose remaining time is checked.
func sleeps(w *worker) func() {
	return func() {
		d := time.Duration(w.IntN(1 << w.IntN(26)))
		start := time.Now()
		if w.IntN(2) == 0 {
			time.Sleep(d)
		} else {
			left := syscall.NsecToTimespec(int64(d))
			for {
				req := left
				err := syscall.Nanosleep(&req, &left)
				if err == nil {
					break
				}
				if err != syscall.EINTR {
					bad("sleeps: nanosleep: %v", err)
				}
				if l := left.Nano(); l < 0 || l > req.Nano() {
					bad("sleeps: %d ns left of %d", l, req.Nano())
				}
			}
		}
		early("sleeps", start, d)
	}
}

// timers sets functions to run after random times, stops and resets some: each
// runs once, not early, or not at all if it was stopped.
func timers(w *worker) func() {
	return func() {
		n := 1 + w.IntN(40)
		fired := make([]atomic.Int32, n)
		done := make(chan int, n)
		start := time.Now()
		after := make([]time.Duration, n)
		stopped := make([]bool, n)
		set := make([]*time.Timer, n)
		for i := range n {
			d := time.Duration(w.IntN(20_000_000))
			after[i] = d
			set[i] = time.AfterFunc(d, func() {
				early("timers", start, d)
				fired[i].Add(1)
				done <- i
			})
		}
		wait := n
		for i := range n {
			if w.IntN(4) == 0 && set[i].Stop() {
				stopped[i] = true
				wait--
			}
		}
		seen := make([]bool, n)
		for range wait {
			i := <-done
			w.beat()
			if seen[i] || stopped[i] {
				bad("timers: timer %d fired twice, or after it was stopped", i)
			}
			seen[i] = true
		}
		for i := range n {
			if !seen[i] && !stopped[i] {
				bad("timers: timer %d never fired", i)
			}
		}
		// Channels' times come in the order of the deadlines.
		slices.Sort(after)
		a, b := time.NewTimer(after[0]), time.NewTimer(after[n-1])
		first, second := <-a.C, <-b.C
		if n > 1 && after[n-1] > after[0] && second.Before(first.Add(-time.Second)) {
			bad("timers: %v fired %v before %v", after[n-1], first.Sub(second), after[0])
		}
	}
}

// tickers checks that no tick comes early. (Their times may go back: each is off
// by how long the runtime took to send it.)
func tickers(w *worker) func() {
	return func() {
		d := time.Duration(1 + w.IntN(3_000_000))
		start := time.Now()
		t := time.NewTicker(d)
		defer t.Stop()
		for i := range 1 + w.IntN(10) {
			<-t.C
			w.beat()
			early("ticker", start, time.Duration(i+1)*d)
		}
	}
}

// contexts lets contexts time out, and cancels others before.
func contexts(w *worker) func() {
	return func() {
		d := time.Duration(w.IntN(5_000_000))
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), d)
		child, cancelChild := context.WithCancel(ctx)
		defer cancelChild()
		if w.IntN(4) == 0 {
			cancel()
		}
		<-child.Done()
		switch err := child.Err(); {
		case errors.Is(err, context.DeadlineExceeded):
			early("contexts", start, d)
		case !errors.Is(err, context.Canceled):
			bad("contexts: %v", err)
		}
		cancel()
	}
}

// latest is the latest time of the monotonic clock that any CPU has shown.
var latest atomic.Int64

var epoch = time.Now()

// clocks checks that the clock never goes back, whichever CPU is asked.
func clocks(*worker) func() {
	return func() {
		for range 200 {
			before := latest.Load()
			now := int64(time.Since(epoch))
			if now < before {
				bad("clock: %d ns after one that read %d", now, before)
			}
			for {
				l := latest.Load()
				if l >= now || latest.CompareAndSwap(l, now) {
					break
				}
			}
		}
		// The kernel's own reading is of the same clock.
		var a, b syscall.Timespec
		start := time.Now()
		clockGettime(&a)
		clockGettime(&b)
		if d := b.Nano() - a.Nano(); d < 0 || d > int64(time.Since(start)) {
			bad("clock: %d ns between two calls within %v", d, time.Since(start))
		}
	}
}

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
)

// profiledBusyLoop computes for ns of CPU time. A stretch in which the machine
// itself stood still, as virtual ones do, is CPU time to the kernel, but nothing
// can be seen in it: it counts for a millisecond.
//
//go:noinline
func profiledBusyLoop(ns int64) {
	for last := threadTime(); ns > 0; {
		for range 20_000 {
			sink[0].v++
		}
		now := threadTime()
		ns -= min(now-last, 1e6)
		last = now
	}
}

// profiles takes CPU profiles; a function that has used 200 ms of CPU time must
// be in them.
func profiles(w *worker) func() {
	return func() {
		var b bytes.Buffer
		must(pprof.StartCPUProfile(&b), "StartCPUProfile")
		runtime.LockOSThread()
		for range 4 {
			profiledBusyLoop(50e6)
			w.beat()
		}
		runtime.UnlockOSThread()
		pprof.StopCPUProfile()
		z, err := gzip.NewReader(&b)
		must(err, "profile")
		text, err := io.ReadAll(z)
		must(err, "profile")
		if !bytes.Contains(text, []byte("main.profiledBusyLoop")) {
			bad("profile: no sample in the busy function: %q", printable(text))
		}
	}
}

func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, string(b))
}

// labels checks that goroutines inherit their maker's labels.
func labels(w *worker) func() {
	return func() {
		id := strconv.FormatUint(w.Uint64(), 36)
		var ready, done sync.WaitGroup
		quit := make(chan struct{})
		n := 1 + w.IntN(5)
		pprof.Do(context.Background(), pprof.Labels("soak", id), func(ctx context.Context) {
			if v, ok := pprof.Label(ctx, "soak"); !ok || v != id {
				bad("labels: %q, want %q", v, id)
			}
			ready.Add(n)
			for range n {
				done.Go(func() {
					ready.Done()
					w.beat()
					<-quit
				})
			}
		})
		ready.Wait()
		if w.IntN(10) == 0 {
			var b bytes.Buffer
			must(pprof.Lookup("goroutine").WriteTo(&b, 1), "goroutine profile")
			if !strings.Contains(b.String(), id) {
				bad("labels: no goroutine has the label %q", id)
			}
		}
		close(quit)
		done.Wait()
	}
}

package main

import (
	"runtime"
	"runtime/debug"
	"time"
)

// descend makes a stack grow, and checks each frame on the way back.
//
//go:noinline
func descend(n int, v uint64) uint64 {
	var frame [16]uint64
	for i := range frame {
		frame[i] = v + uint64(i)
	}
	r := v
	if n > 0 {
		r = descend(n-1, v*3+1)
	}
	for i := range frame {
		if frame[i] != v+uint64(i) {
			bad("stacks: a frame %d deep holds %#x, want %#x", n, frame[i], v+uint64(i))
		}
	}
	return r
}

func stacks(w *worker) func() {
	return func() {
		n, v := w.IntN(scaled(10_000)), w.Uint64()
		want := v
		for range n {
			want = want*3 + 1
		}
		done := make(chan uint64)
		go func() { done <- descend(n, v) }()
		if got := <-done; got != want {
			bad("stacks: %#x after %d frames, want %#x", got, n, want)
		}
	}
}

// worldStops does what stops the world.
func worldStops(w *worker) func() {
	var m runtime.MemStats
	b := make([]byte, 64<<10)
	return func() {
		switch w.IntN(5) {
		case 0:
			runtime.GC()
		case 1:
			debug.FreeOSMemory()
		case 2:
			runtime.ReadMemStats(&m)
			if m.HeapAlloc == 0 || m.HeapSys < m.HeapInuse {
				bad("world: MemStats %+v", m)
			}
		case 3:
			if n := runtime.Stack(b, true); n == 0 {
				bad("world: no stacks")
			}
		case 4:
			debug.SetGCPercent(20 + w.IntN(200))
		}
	}
}

// procsShared says that others change how many Ps there are, too.
var procsShared bool

// procs changes how many Ps there are.
func procs(w *worker) func() {
	return func() {
		n := 1 + w.IntN(runtime.NumCPU())
		runtime.GOMAXPROCS(n)
		if got := runtime.GOMAXPROCS(0); got != n && !procsShared {
			bad("procs: GOMAXPROCS is %d, want %d", got, n)
		}
		time.Sleep(time.Duration(w.IntN(20_000_000)))
		if w.IntN(4) == 0 {
			runtime.GOMAXPROCS(runtime.NumCPU())
		}
	}
}

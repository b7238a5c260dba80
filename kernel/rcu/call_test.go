package rcu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestCallRunsAfterReaders(t *testing.T) {
	d := newStepped(Config{CPUs: 2})
	token := d.ReadLock(1)
	var ran atomic.Bool
	done := make(chan bool)
	d.Call(func() {
		ran.Store(true)
		close(done)
	})
	d.sleeps(t, done) // the worker, in its grace period
	if s := d.Stats(); ran.Load() || s.Pending != 1 || s.Ran != 0 {
		t.Fatalf("ran before the reader ended, or is not counted: %+v", s)
	}
	d.ReadUnlock(token)
	close(d.wake)
	go func() {
		for range d.asleep {
		}
	}()
	d.Barrier()
	if s := d.Stats(); !ran.Load() || s.Pending != 0 || s.Ran != 1 {
		t.Fatalf("Barrier returned before the callback had run, or it is not counted: %+v", s)
	}
}

// TestBarrierWaitsForItsCalls: whatever runs and is called meanwhile.
func TestBarrierWaitsForItsCalls(t *testing.T) {
	var turn atomic.Int64
	d := New(Config{CPUs: 4, CPU: func() int { return int(turn.Add(1) % 4) }})
	var others sync.WaitGroup
	var stop atomic.Bool
	others.Go(func() {
		for !stop.Load() {
			d.Call(func() {})
			runtime.Gosched()
		}
	})
	for range 200 {
		var ran atomic.Int32
		for range 10 {
			d.Call(func() {
				runtime.Gosched()
				ran.Add(1)
			})
		}
		d.Barrier()
		if got := ran.Load(); got != 10 {
			t.Fatalf("Barrier returned after %d callbacks of 10", got)
		}
	}
	stop.Store(true)
	others.Wait()
	d.Barrier()
}

// TestCallsFromCallback: each is run, after a grace period of its own.
func TestCallsFromCallback(t *testing.T) {
	d := New(Config{CPUs: 2})
	var periods []uint64
	done := make(chan bool)
	var f func()
	f = func() {
		if periods = append(periods, d.Stats().GracePeriods); len(periods) == 5 {
			close(done)
			return
		}
		d.Call(f)
		token := d.ReadLock(0)
		d.ReadUnlock(token)
		d.Synchronize()
	}
	d.Call(f)
	<-done
	for i := 1; i < len(periods); i++ {
		if periods[i] < periods[i-1]+2 { // its own and the Synchronize
			t.Errorf("grace periods at the callbacks: %d", periods)
		}
	}
}

// TestWorkerComesAndGoes: there is one while there are callbacks, and none after.
func TestWorkerComesAndGoes(t *testing.T) {
	var started, live, most atomic.Int32
	ended := make(chan bool, 1)
	d := New(Config{CPUs: 2, Go: func(f func()) {
		started.Add(1)
		go func() {
			most.Store(max(most.Load(), live.Add(1)))
			f()
			live.Add(-1)
			ended <- true
		}()
	}})
	for round := range int32(3) {
		hold := d.ReadLock(0)
		for range 100 {
			d.Call(func() {})
		}
		d.ReadUnlock(hold)
		d.Barrier()
		<-ended
		if got := started.Load(); got != round+1 {
			t.Fatalf("%d workers started in %d rounds", got, round+1)
		}
	}
	if most.Load() != 1 {
		t.Fatalf("%d workers at a time", most.Load())
	}
}

func TestBarrierInCallback(t *testing.T) {
	d := New(Config{CPUs: 1})
	d.Call(func() { wantPanic(t, "in a callback", d.Barrier) })
	d.Barrier()
}

func TestBarrierWithoutCalls(t *testing.T) {
	New(Config{CPUs: 1, Sleep: func(time.Duration) { t.Error("waits for nothing") }}).Barrier()
}

// TestCallsOfManyGoroutines: none is lost, none runs twice.
func TestCallsOfManyGoroutines(t *testing.T) {
	const callers, calls = 8, 2000
	d := New(Config{CPUs: 2})
	var ran [callers * calls]atomic.Int32
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range calls {
				d.Call(func() { ran[c*calls+i].Add(1) })
			}
		})
	}
	wg.Wait()
	d.Barrier()
	for i := range ran {
		if got := ran[i].Load(); got != 1 {
			t.Fatalf("callback %d ran %d times", i, got)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	d := New(Config{CPUs: 2})
	f := func() {}
	for b.Loop() {
		d.Call(f)
	}
	d.Barrier()
}

package rcu

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestHoldHoldsUp: a grace period waits for a section begun by Hold, ended on whatever CPU, and a callback
// for all that were under way; and each grace period has the next section in the other counter.
func TestHoldHoldsUp(t *testing.T) {
	for _, track := range []bool{false, true} {
		d := New(Config{CPUs: 4, Track: track})
		var lanes [4]Lane
		d.Attach(func(cpu int) *Lane { return &lanes[cpu] })
		for cpu := range lanes {
			h := lanes[cpu].Hold()
			if track {
				h.Release()
				h = d.HoldTracked(cpu, 0)
			} else if h.readers != &d.cells[cpu].readers[d.phase.Load()] {
				t.Errorf("not in the counter of phase %d", d.phase.Load())
			}
			if n := d.Stats().Readers; n != 1 {
				t.Fatalf("%d readers", n)
			}
			var done atomic.Bool
			ended := make(chan bool)
			go func() {
				d.Synchronize()
				done.Store(true)
				close(ended)
			}()
			for range 100 {
				runtime.Gosched()
			}
			time.Sleep(time.Millisecond)
			if done.Load() {
				t.Fatal("a grace period ended in a section")
			}
			h.Release()
			<-ended
			if n := d.Stats().Readers; n != 0 {
				t.Fatalf("%d readers", n)
			}
		}
	}
}

// TestHoldOfStraggler: a section whose counter was found before the phase changed, and that is counted after
// it, is waited for.
func TestHoldOfStraggler(t *testing.T) {
	d := newStepped(Config{CPUs: 2})
	var lanes [2]Lane
	d.Attach(func(cpu int) *Lane { return &lanes[cpu] })
	for range 3 {
		n := (*uint64)(lanes[1].readers)
		d.share()
		atomic.AddUint64(n, 1)
		done := d.start(t, d.Synchronize)
		d.again(t, done)
		Held{n}.Release()
		d.finish(t, done)
	}
}

// TestHoldTrackedNames: who waits for a section of his own is told which, until it has ended; the record of
// one that has is another's.
func TestHoldTrackedNames(t *testing.T) {
	d := New(Config{CPUs: 1, Track: true})
	for range 3 {
		h := d.HoldTracked(0, 0)
		wantPanic(t, "begun in pdac/kernel/rcu.TestHoldTrackedNames", d.Synchronize)
		h.Release()
		taken := 0
		for i := range d.tracker {
			if d.tracker[i].state.Load() != 0 {
				taken++
			}
		}
		if taken > 1 {
			t.Fatalf("%d records of one section", taken)
		}
	}
	for _, reaped := range []bool{false, true} {
		d := New(Config{CPUs: 1, Track: true})
		h := d.HoldTracked(0, 0)
		h.Release()
		if reaped {
			d.Synchronize()
		}
		h.Release()
		wantPanic(t, "ended twice", d.Synchronize)
	}
}

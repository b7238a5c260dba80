package rcu

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestHoldHoldsUp: a grace period waits for a section begun by Hold, ended on whatever CPU, and a callback
// for all that were under way.
func TestHoldHoldsUp(t *testing.T) {
	d := New(Config{CPUs: 4})
	for cpu := range 4 {
		lane := d.Lane(cpu)
		h := lane.Hold()
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
	}
}

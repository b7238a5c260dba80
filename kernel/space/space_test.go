package space

import (
	"context"
	"runtime/pprof"
	"testing"
	"time"
)

// in runs f on a goroutine of its own, in a space.
func in(space uint32, f func()) {
	done := make(chan bool)
	go func() {
		defer close(done)
		Set(space)
		f()
	}()
	<-done
}

func TestChildrenInherit(t *testing.T) {
	in(7, func() {
		got := make(chan uint32)
		go func() {
			go func() { got <- Get() }()
		}()
		if s := <-got; s != 7 {
			t.Errorf("a goroutine's goroutine is in space %d, want 7", s)
		}
		Set(8)
		if s := Get(); s != 8 {
			t.Errorf("space %d, was set to 8", s)
		}
	})
	if s := Get(); s != None {
		t.Errorf("the goroutine that started it is in space %d, want none", s)
	}
}

func TestAfterFuncHasNone(t *testing.T) {
	in(7, func() {
		got := make(chan uint32)
		time.AfterFunc(time.Microsecond, func() { got <- Get() })
		if s := <-got; s != None {
			t.Errorf("AfterFunc runs in space %d, want none", s)
		}
	})
}

func TestOtherLabelsAreNoSpace(t *testing.T) {
	pprof.Do(context.Background(), pprof.Labels("space", "3", "pdac", "4"), func(context.Context) {
		if s := Get(); s != None {
			t.Errorf("space %d of labels that mean none", s)
		}
	})
}

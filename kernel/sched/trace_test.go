package sched

import (
	"sync"
	"testing"
)

// traced boots a machine that has memory for events.
func traced(tb testing.TB, ncpu int) *fakeMachine {
	f := boot(tb, ncpu, 1, 16, 0)
	machine.Trace = make([]TraceSlot, ncpu*TraceSlots)
	if !SetTracing(true) || !Tracing() {
		tb.Fatal("no tracing")
	}
	tb.Cleanup(func() { SetTracing(false) })
	return f
}

func TestTraceWithoutMemory(t *testing.T) {
	boot(t, 1, 1, 4, 0)
	if SetTracing(true) || Tracing() || !SetTracing(false) {
		t.Error("events are kept nowhere")
	}
	Events(0, 10, func(e Event) { t.Errorf("%+v", e) })
}

// TestTrace follows a task from its birth to its end.
func TestTrace(t *testing.T) {
	f := traced(t, 2)
	a := spawn(t, 0)
	leave(t, 0, a)
	f.clock.Add(5)
	seq := Park(0, a, 0)
	leave(t, 0, 0)
	Wake(1, a, seq, 0, false)
	leave(t, 0, a)
	Exit(0, a)
	leave(t, 0, 0)
	var got [2][]EventKind
	last := uint64(0)
	for cpu := range got {
		Events(cpu, TraceSlots, func(e Event) {
			got[cpu] = append(got[cpu], e.Kind)
			if e.Kind != EventIdle && e.Task != a {
				t.Errorf("%+v is not about task %d", e, a)
			}
			if cpu == 0 {
				if e.Time < last {
					t.Errorf("%+v after time %d", e, last)
				}
				last = e.Time
			}
		})
	}
	want := [2][]EventKind{{EventWake, EventRun, EventPark, EventIdle, EventRun, EventExit, EventIdle}, {EventWake}}
	for cpu := range got {
		if len(got[cpu]) != len(want[cpu]) {
			t.Fatalf("CPU %d: %v, want %v", cpu, got[cpu], want[cpu])
		}
		for i := range got[cpu] {
			if got[cpu][i] != want[cpu][i] {
				t.Fatalf("CPU %d: %v, want %v", cpu, got[cpu], want[cpu])
			}
		}
	}
	n := 0
	Events(0, 2, func(Event) { n++ })
	if n != 2 {
		t.Errorf("%d events, want the last 2", n)
	}
}

// TestTraceLapped: a reader never sees parts of two events, however often he is lapped.
func TestTraceLapped(t *testing.T) {
	traced(t, 1)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for i := ID(1); ; i = i%(MaxTasks-1) + 1 {
			select {
			case <-stop:
				return
			default:
				trace(0, EventWake, i, int(i))
			}
		}
	})
	seen := 0
	for seen < 100_000 {
		Events(0, TraceSlots, func(e Event) {
			seen++
			if e.Kind != EventWake || e.Task != e.Arg {
				t.Errorf("%+v", e)
			}
		})
	}
	close(stop)
	wg.Wait()
}

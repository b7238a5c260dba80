package sched

import "testing"

// wander has a task sleep on CPUs 0, 1 and 0 again, n times, always with far deadlines and woken early; it ends on CPU 1, asleep until
// a near one, which is returned with the number of the sleep.
func wander(tb testing.TB, f *fakeMachine, a ID, n int) (deadline, seq uint64) {
	tb.Helper()
	leave(tb, 0, a)
	for i := range 2*n + 1 {
		at, to := i%2, (i+1)%2
		seq := Park(at, a, f.clock.Load()+1<<40)
		leave(tb, at, 0)
		SetAffinity(at, a, &CPUSet{1 << to})
		if !Wake(at, a, seq, 0, false) {
			tb.Fatal("Wake")
		}
		f.kicked[to].Store(0)
		leave(tb, to, a)
	}
	deadline = f.clock.Load() + 5_000_000
	seq = Park(1, a, deadline)
	leave(tb, 1, 0)
	return deadline, seq
}

// expect lets time pass on CPU 1 by its timer until the task is woken, at its deadline or up to late ns after.
func expect(tb testing.TB, f *fakeMachine, a ID, deadline, late uint64) {
	tb.Helper()
	for range 100 {
		f.clock.Store(max(f.clock.Load(), f.armed[1].Load()))
		f.interrupt(1)
		if Leave(1) == a {
			if now := f.clock.Load(); now < deadline || now > deadline+late {
				tb.Fatalf("woken at %d, the deadline is %d", now, deadline)
			}
			return
		}
	}
	tb.Fatalf("still asleep at %d, the deadline is %d", f.clock.Load(), deadline)
}

// TestSleepersWander leaves stale nodes in two heaps, and finds them swept before they are too many.
func TestSleepersWander(t *testing.T) {
	f := boot(t, 2, 1, 8, 4*minExtra)
	leave(t, 1, 0)
	leave(t, 0, 0)
	a := spawn(t, 0)
	deadline, seq := wander(t, f, a, 1000)
	for i := range cpus {
		if q := &cpus[i].sleeps; q.extra > minExtra || q.unlisted {
			t.Errorf("CPU %d: %d extra nodes, unlisted %v", i, q.extra, q.unlisted)
		}
	}
	expect(t, f, a, deadline, 0)
	if s, now := Get(a).State(); s != StateRunning || now != seq+1 {
		t.Errorf("state %d, stay %d after sleep %d", s, now, seq)
	}
	checkSettled(t, f)
}

// TestSleepWithoutNode has no nodes but the tasks' own: a sleep that finds none is looked for.
func TestSleepWithoutNode(t *testing.T) {
	f := boot(t, 2, 1, 8, 0)
	leave(t, 1, 0)
	leave(t, 0, 0)
	a := spawn(t, 0)
	deadline, _ := wander(t, f, a, 1)
	if !cpus[1].sleeps.unlisted {
		t.Fatal("the sleep has a node: the test misses its point")
	}
	expect(t, f, a, deadline, pollUnlisted)
	Park(1, a, 0)
	leave(t, 1, 0)
	for range 3 { // nothing is left to look for
		f.clock.Store(max(f.clock.Load(), f.armed[1].Load()&(1<<41-1)))
		f.interrupt(1)
		leave(t, 1, 0)
	}
	if cpus[1].sleeps.unlisted {
		t.Error("still looking")
	}
}

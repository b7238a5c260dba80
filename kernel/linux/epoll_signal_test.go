package linux

import (
	"fmt"
	"testing"

	"pdac/kernel/sched"
)

func TestEpollTimeoutAndSignal(t *testing.T) {
	m := bootFiles(t, 1, nil)
	ep := m.epoll()
	e := uint64(m.call(0, nrEventfd2, 0, 0))
	m.control(0, ep, epollAdd, e, in|epollEdge)
	var evs [4]event
	wait := func(t *testing.T, ms uint64) *sched.Context {
		t.Helper()
		c := &sched.Get(mainThread).Ctx
		set(c, nrEpollPwait, ep, user(&evs[0]), 4, ms, 0)
		Syscall(0, mainThread)
		if got := m.leave(0); got != 0 {
			t.Fatalf("task %d runs", got)
		}
		return c
	}

	// The time-out counts from the call, although an event that is gone again wakes
	// the thread in the middle.
	start := m.time.Load()
	c := wait(t, 50)
	m.idleTo(start + 30*1e6)
	f := &files[fds[e].word.Load()>>1]
	f.q.lock(0)
	notify(0, f, epollIn) // nothing is there
	f.q.unlock()
	m.idleTo(start + 45*1e6)
	if got, _ := sched.Get(mainThread).State(); got != sched.StateBlocked {
		t.Errorf("state %d before the time-out", got)
	}
	m.idleTo(start + 51*1e6)
	if got := m.leave(0); got != mainThread || c.RAX != 0 || c.RIP != codeAt+syscallLength {
		t.Errorf("after the time-out: task %d, RAX %d, RIP %#x", got, int64(c.RAX), c.RIP)
	}

	// pwait2, no time-out for a nil pointer; a signal ends it with EINTR even
	// under SA_RESTART.
	m.handle(sigURG, saRestart, 0)
	handled := 0
	m.handled = func(cpu int, t sched.ID, sig int, frame *sigFrame) { handled++ }
	set(c, nrEpollPwait2, ep, user(&evs[0]), 4, 0, 0)
	Syscall(0, mainThread)
	m.leave(0)
	m.idleTo(m.time.Load() + second)
	raise(0, mainThread, sigURG, sigInfo{})
	m.step(0)
	m.leave(0)
	if handled != 1 || int64(c.RAX) != eintr || c.RIP != codeAt+syscallLength {
		t.Errorf("after %d signals: RAX %d, RIP %#x", handled, int64(c.RAX), c.RIP)
	}
	ts, p := words(2)
	ts[0], ts[1] = 0, second
	m.want(einval, nrEpollPwait2, ep, user(&evs[0]), 4, p, 0)
	m.want(efault, nrEpollPwait2, ep, user(&evs[0]), 4, badAddress, 0)
	ts[1] = 0
	m.want(0, nrEpollPwait2, ep, user(&evs[0]), 4, p, 0)
}

// The time-out of epoll_wait has made the thread ready when a signal comes, whose handler makes a call of its own: the wait is
// over all the same, and does not begin anew.
func TestEpollTimeoutThenSignal(t *testing.T) {
	m := bootFiles(t, 1, nil)
	const sig, ms = 10, 10_000
	m.handle(sig, saRestart, 0)
	ep := m.epoll()
	var evs [4]event
	buf := user(&evs[0])
	_, w := words(1)
	handled := false
	m.handled = func(cpu int, t sched.ID, s int, f *sigFrame) {
		handled = true
		c := &sched.Get(t).Ctx
		keep := *c
		set(c, nrRtSigpending, w, sigsetSize)
		Syscall(cpu, t)
		*c = keep
	}
	result := int64(blocked)
	calls := 0
	waiter := m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
		if calls++; calls == 2 {
			result = int64(c.RAX)
		}
		set(c, nrEpollPwait, ep, buf, 4, ms, 0, 8)
		return true
	})
	state := func() sched.State { s, _ := sched.Get(waiter).State(); return s }
	m.spin(func() bool { return state() == sched.StateBlocked && sched.Current(0) == mainThread })
	end := m.time.Load() + ms*1_000_000
	m.time.Store(end)
	_, seq := sched.Get(waiter).State()
	onTimeout(0, waiter, seq)
	if state() != sched.StateReady {
		t.Fatal("the waiter is not ready")
	}
	raise(0, waiter, sig, sigInfo{})
	m.spin(func() bool { return calls == 2 })
	if !handled || result != 0 || m.time.Load() > end+1_000_000_000 {
		t.Errorf("epoll_wait returned %d, %d ms after its end; handler ran: %v", result, (m.time.Load()-end)/1_000_000, handled)
	}
}

// A waiter that an event has made ready takes a signal before it runs, and another thread the event: as on Linux it waits no more,
// neither for a fresh time-out nor for the rest of the first. The handler's own sleep has a time of its own, and a second handler
// changes nothing.
func TestEpollWokenThenSignal(t *testing.T) {
	const sig, sigAgain, ms = 10, 12, 10_000
	for _, c := range []struct {
		name    string
		timeout uint64
		flags   uint64 // of the handler
		stolen  bool
		second  bool // a second signal comes during the first's handler
		want    int64
	}{
		{"stolen", ms, saRestart, true, false, eintr},
		{"stolen, two signals", ms, saRestart, true, true, eintr},
		{"stolen, no restart", ms, 0, true, false, eintr},
		{"stolen, no time-out", 1<<32 - 1, 0, true, false, eintr},
		{"stolen, no time-out, two signals", 1<<32 - 1, 0, true, true, eintr},
		{"stolen, no time-out, restart", 1<<32 - 1, saRestart, true, false, eintr},
		{"still there", ms, 0, false, false, 1},
		{"still there, restart", ms, saRestart, false, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := bootFiles(t, 1, nil)
			m.handle(sig, c.flags, 0)
			m.handle(sigAgain, saRestart, 0)
			ep, e := m.epoll(), uint64(m.call(0, nrEventfd2, 0, oNonblock))
			m.control(0, ep, epollAdd, e, in)
			var evs [4]event
			buf := user(&evs[0])
			one, p := words(1)
			one[0] = 1
			napping := uint64(0)
			m.handled = func(cpu int, t sched.ID, s int, f *sigFrame) {
				x := &sched.Get(t).Ctx
				keep := *x
				set(x, nrNanosleep, timespecAt(second), 0)
				napping = callDeadline(t, 1)
				set(x, nrGetpid)
				Syscall(cpu, t)
				*x = keep
				if s == sig && c.second {
					raise(cpu, t, sigAgain, sigInfo{})
				}
			}
			var results []int64
			waiter := m.clone(0, func(cpu int, t sched.ID, x *sched.Context) bool {
				results = append(results, int64(x.RAX)) // the first is clone's
				set(x, nrEpollPwait, ep, buf, 4, c.timeout, 0, 8)
				return true
			})
			state := func() sched.State { s, _ := sched.Get(waiter).State(); return s }
			m.spin(func() bool { return state() == sched.StateBlocked && sched.Current(0) == mainThread })
			m.want(8, nrWrite, e, p, 8)
			if state() != sched.StateReady {
				t.Fatal("the event woke nobody")
			}
			if c.stolen {
				m.want(8, nrRead, e, p, 8)
			}
			raise(0, waiter, sig, sigInfo{})
			start := m.time.Load()
			m.spin(func() bool { return len(results) == 2 })
			if results[1] != c.want || m.time.Load()-start > ms*1_000_000/2 {
				t.Errorf("epoll_wait returned %d after %d ms, want %d at once", results[1], (m.time.Load()-start)/1_000_000, c.want)
			}
			if napping != 1 {
				t.Errorf("a sleep of the handler ends at %d, the time of the wait", napping)
			}
		})
	}
}

// The same for a read of an eventfd: it ends with EINTR, or goes on to wait where the handler has SA_RESTART.
func TestEventfdWokenThenSignal(t *testing.T) {
	const sig = 10
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprint("restart ", restart), func(t *testing.T) {
			m := bootFiles(t, 1, nil)
			flags, want := uint64(0), eintr
			if restart {
				flags, want = saRestart, 8
			}
			m.handle(sig, flags, 0)
			handled := 0
			m.handled = func(cpu int, t sched.ID, s int, f *sigFrame) { handled++ }
			e := uint64(m.call(0, nrEventfd2, 0, 0))
			one, p := words(1)
			one[0] = 1
			_, q := words(1)
			var results []int64
			waiter := m.clone(0, func(cpu int, t sched.ID, x *sched.Context) bool {
				results = append(results, int64(x.RAX))
				set(x, nrRead, e, q, 8)
				return true
			})
			state := func() sched.State { s, _ := sched.Get(waiter).State(); return s }
			m.spin(func() bool { return state() == sched.StateBlocked && sched.Current(0) == mainThread })
			m.want(8, nrWrite, e, p, 8)
			m.want(8, nrRead, e, p, 8)
			raise(0, waiter, sig, sigInfo{})
			m.spin(func() bool { return handled != 0 && state() == sched.StateBlocked && sched.Current(0) == mainThread })
			if n := len(results); handled != 1 || restart && n != 1 || !restart && (n != 2 || results[1] != want) {
				t.Errorf("after the handler, run %d times: results %d", handled, results)
			}
			m.want(8, nrWrite, e, p, 8)
			m.spin(func() bool { return results[len(results)-1] == 8 })
		})
	}
}

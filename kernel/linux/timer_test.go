package linux

import (
	"testing"

	"pdac/kernel/sched"
)

func itimerspecAt(interval, value int64) uint64 {
	s := [2]timespec{{interval / second, interval % second}, {value / second, value % second}}
	return addressOf(&s)
}

func itimervalAt(interval, value int64) uint64 {
	s := [2]timeval{{interval / second, interval % second / 1000}, {value / second, value % second / 1000}}
	return addressOf(&s)
}

const ms = 1_000_000

func (m *machine) newTimer(clock uint64, ev *sigevent) uint64 {
	m.Helper()
	_, id := words(1)
	e := uint64(0)
	if ev != nil {
		e = addressOf(ev)
	}
	m.want(0, nrTimerCreate, clock, e, id)
	v, _ := load32(id)
	return uint64(v)
}

// compute runs CPU 0 for that many ns, the current task computing.
func (m *machine) compute(ns uint64) {
	for end := m.time.Load() + ns; m.time.Load() < end; {
		if !m.step(0) {
			m.time.Store(min(max(m.armed[0].Load(), m.time.Load()), end))
		}
	}
}

func TestTimerSignals(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigALRM, saRestart, 0)
	fired := 0
	var info sigUserInfo
	m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) { fired++; info = f.info }
	id := m.newTimer(clockMonotonic, nil)
	w, a := words(4)
	m.want(0, nrTimerSettime, id, 0, itimerspecAt(10*ms, 5*ms), 0)
	m.want(0, nrTimerGettime, id, a)
	if left := w[2]*second + w[3]; left > 5*ms || left < 4*ms || w[0] != 0 || w[1] != 10*ms {
		t.Errorf("timer_gettime %v", w)
	}
	m.compute(4 * ms)
	if fired != 0 {
		t.Error("too early")
	}
	m.compute(2 * ms)
	if fired != 1 || info.code != siTimer || info.first != id || info.second != id || info.signo != sigALRM {
		t.Errorf("fired %d times, info %+v", fired, info)
	}
	m.compute(1000 * ms)
	if fired != 101 {
		t.Errorf("fired %d times in 1.006 s, want 101", fired)
	}
	// Stop: the old value comes back.
	m.settled()
	m.want(0, nrTimerSettime, id, 0, itimerspecAt(0, 0), a)
	if w[1] != 10*ms || w[2]*second+w[3] > 10*ms {
		t.Errorf("old value %v", w)
	}
	before := fired
	m.compute(100 * ms)
	m.want(0, nrTimerGettime, id, a)
	if fired != before || w[2] != 0 || w[3] != 0 {
		t.Errorf("a stopped timer fires; or has %v left", w)
	}
	// Once, absolute.
	m.want(0, nrTimerSettime, id, timerAbstime, itimerspecAt(0, int64(m.time.Load())+7*ms), 0)
	m.compute(6 * ms)
	if fired != before {
		t.Error("absolute: too early")
	}
	m.compute(50 * ms)
	if fired != before+1 {
		t.Errorf("once: %d times", fired-before)
	}
	m.settled()
	m.want(0, nrTimerDelete, id)
	m.want(einval, nrTimerDelete, id)
	m.want(einval, nrTimerSettime, id, 0, itimerspecAt(0, 1), 0)
	m.want(einval, nrTimerGettime, id, a)
	m.want(einval, nrTimerGetoverrun, id)
}

func TestTimerOverrun(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigALRM, saRestart, 0)
	var info sigUserInfo
	fired := 0
	m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) { fired++; info = f.info }
	id := m.newTimer(clockMonotonic, nil)
	w, a := words(1)
	w[0] = bit(sigALRM)
	m.want(0, nrRtSigprocmask, 0, a, 0, sigsetSize)
	m.want(0, nrTimerSettime, id, 0, itimerspecAt(10*ms, 10*ms), 0)
	m.compute(55 * ms)
	m.want(4, nrTimerGetoverrun, id)
	m.want(0, nrTimerSettime, id, 0, itimerspecAt(0, 0), 0)
	m.call(0, nrRtSigprocmask, 1, a, 0, sigsetSize)
	m.settled()
	if fired != 1 || info.signo != sigALRM {
		t.Errorf("%d signals, %+v", fired, info)
	}
	// Late altogether: one signal that says how many it stands for.
	m.want(0, nrTimerSettime, id, 0, itimerspecAt(10*ms, 10*ms), 0)
	m.time.Add(75 * ms)
	m.step(0)
	m.settled()
	if fired != 2 || info.first>>32 != 6 {
		t.Errorf("%d signals, overrun %d", fired, info.first>>32)
	}
}

func TestTimerArguments(t *testing.T) {
	m := boot(t, 1)
	_, id := words(1)
	m.want(einval, nrTimerCreate, 99, 0, id)
	m.want(einval, nrTimerCreate, 0, addressOf(&sigevent{sig: 65}), id)
	m.want(einval, nrTimerCreate, 0, addressOf(&sigevent{sig: 0}), id)
	m.want(einval, nrTimerCreate, 0, addressOf(&sigevent{sig: 5, notify: 2}), id)
	m.want(einval, nrTimerCreate, 0, addressOf(&sigevent{sig: 5, notify: sigevThreadID, thread: 77}), id)
	m.want(efault, nrTimerCreate, 0, 0, 8)
	m.want(efault, nrTimerCreate, 0, 8, id)
	n := m.newTimer(clockMonotonic, &sigevent{notify: sigevNone})
	m.want(efault, nrTimerSettime, n, 0, 8, 0)
	m.want(einval, nrTimerSettime, n, 0, itimerspecAt(0, -second), 0)
	m.want(einval, nrTimerSettime, 0, 0, itimerspecAt(0, 1), 0)
	m.want(einval, nrTimerSettime, ^uint64(0), 0, itimerspecAt(0, 1), 0)
	m.want(0, nrTimerSettime, n, 0, itimerspecAt(0, ms), 0)
	m.compute(10 * ms)
	if len(m.fatal) != 0 {
		t.Errorf("SIGEV_NONE sends %v", m.fatal)
	}
}

// What Go's CPU profiler does: a timer on each thread's own CPU time, that signals this thread. Threads that run get it at the
// rate asked for, of their CPU time; a thread that sleeps gets none, and costs no interrupts.
func TestThreadCPUTimersProfile(t *testing.T) {
	m := boot(t, 2)
	m.handle(sigPROF, saRestart, 0)
	hits := map[sched.ID]int{}
	m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) {
		if f.info.code != siTimer {
			m.Errorf("code %d", f.info.code)
		}
		hits[t]++
	}
	profiled := func(period uint64, calls func(c *sched.Context, step int) bool) sched.ID {
		step := 0
		id := new(uint32)
		return m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			switch step++; step {
			case 1:
				set(c, nrTimerCreate, clockThreadCPU, addressOf(&sigevent{sig: sigPROF, notify: sigevThreadID, thread: int32(t)}), addressOf(id))
				return true
			case 2:
				set(c, nrTimerSettime, uint64(*id), 0, itimerspecAt(int64(period), int64(period)), 0)
				return true
			}
			return calls(c, step)
		})
	}
	busy := profiled(10*ms, func(*sched.Context, int) bool { return false })
	other := profiled(10*ms, func(*sched.Context, int) bool { return false })
	half := profiled(10*ms, func(c *sched.Context, step int) bool {
		if step%5000 != 0 { // computes 5 ms, then sleeps 50
			return false
		}
		set(c, nrNanosleep, timespecAt(50*ms), 0)
		return true
	})
	sleeper := profiled(10*ms, func(c *sched.Context, step int) bool {
		set(c, nrFutex, addressOf(new(uint32)), futexOpWait, 0, 0)
		return true
	})
	if r := m.call(0, nrFutex, addressOf(new(uint32)), futexOpWait, 0, 0); r != blocked {
		t.Fatal(r)
	}
	const span = second
	end := m.time.Load() + span
	m.spin(func() bool { return m.time.Load() >= end })
	for _, id := range []sched.ID{busy, other, half} {
		used := sched.Info(id).CPUTime
		want := int(used / (10 * ms))
		if want < 10 || hits[id] < want*8/10-1 || hits[id] > want+1 {
			t.Errorf("thread %d: %d signals in %d ms of CPU time", id, hits[id], used/ms)
		}
	}
	if hits[sleeper] != 0 {
		t.Errorf("a sleeping thread got %d signals", hits[sleeper])
	}
}

func TestThreadCPUTimerGoesWithItsThread(t *testing.T) {
	m := boot(t, 1)
	step := 0
	w := m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
		switch step++; step {
		case 1:
			set(c, nrTimerCreate, clockThreadCPU, 0, addressOf(new(uint32)))
		case 2:
			set(c, nrExit, 0)
		}
		return true
	})
	m.programs[mainThread] = func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrSchedYield); return true }
	m.spin(func() bool { return step == 2 && !exists(w) })
	if thread(w).timers != 0 {
		t.Error("the list is not empty")
	}
	for i := range timers {
		if timers[i].live {
			t.Errorf("timer %d outlives its thread", i)
		}
	}
}

func TestSetitimer(t *testing.T) {
	m := boot(t, 2)
	for _, x := range []struct {
		kind uint64
		sig  int
	}{{0, sigALRM}, {1, sigVTALRM}, {2, sigPROF}} {
		m.handle(x.sig, saRestart, 0)
		fired := 0
		m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) {
			if sig != x.sig || f.info.code != siKernel {
				m.Errorf("signal %d code %#x", sig, f.info.code)
			}
			fired++
		}
		w, a := words(4)
		m.settled()
		m.want(0, nrSetitimer, x.kind, itimervalAt(10*ms, 10*ms), 0)
		m.want(0, nrGetitimer, x.kind, a)
		if left := w[2]*second + w[3]*1000; w[0] != 0 || w[1] != 10_000 || left > 10*ms+1000 || left < 9*ms {
			t.Errorf("getitimer %v", w)
		}
		m.compute(200 * ms)
		if fired < 18 || fired > 41 { // two CPUs: CPU time may pass twice as fast
			t.Errorf("signal %d: %d times in 200 ms", x.sig, fired)
		}
		m.settled()
		m.want(0, nrSetitimer, x.kind, itimervalAt(0, 0), a)
		if w[1] != 10_000 {
			t.Errorf("old interval %v", w)
		}
		fired = 0
		m.compute(50 * ms)
		if fired != 0 {
			t.Errorf("signal %d after the timer was stopped", x.sig)
		}
		m.settled()
	}
	_, a := words(4)
	m.want(einval, nrSetitimer, 3, a, 0)
	m.want(einval, nrGetitimer, 3, a)
	m.want(einval, nrSetitimer, 0, addressOf(&[2]timeval{{}, {0, 1_000_000}}), 0)
	m.want(efault, nrSetitimer, 0, 8, 0)
	m.want(efault, nrGetitimer, 0, 0)
}

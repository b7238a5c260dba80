package linux

import (
	"sync/atomic"
	"testing"

	"pdac/kernel/sched"
)

// An ignored signal wakes nobody; one with a handler does, and what the call returns follows SA_RESTART.
func TestSignalEndsSleeps(t *testing.T) {
	_, word := words(1)
	for _, x := range []struct {
		name  string
		flags uint64
		call  []uint64
		want  int64 // 0: it goes on waiting
	}{
		{"futex without time-out, restart", saRestart, []uint64{nrFutex, word, futexOpWait, 0, 0}, 0},
		{"futex without time-out", 0, []uint64{nrFutex, word, futexOpWait, 0, 0}, eintr},
		{"futex with time-out", saRestart, []uint64{nrFutex, word, futexOpWait, 0, timespecAt(900 * second)}, eintr},
		{"nanosleep", saRestart, []uint64{nrNanosleep, timespecAt(900 * second), 0}, eintr},
		{"clock_nanosleep", 0, []uint64{nrClockNanosleep, clockMonotonic, timerAbstime, timespecAt(900 * second), 0}, eintr},
	} {
		keep := pins.list
		m := boot(t, 1)
		pins.list = append(pins.list, keep...)
		m.handle(sigURG, x.flags, 0)
		got := m.recordSignals()
		calls, result := 0, int64(0)
		w := m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			if calls++; calls > 1 {
				result = int64(c.RAX)
			}
			set(c, x.call[0], x.call[1:]...)
			return true
		})
		m.programs[mainThread] = func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrSchedYield); return true }
		asleep := func() bool {
			s, _ := sched.Get(w).State()
			return s == sched.StateBlocked && sched.Current(0) == mainThread
		}
		m.spin(asleep)
		_, before := sched.Get(w).State()
		m.want(0, nrTgkill, 1, uint64(w), sigCHLD)
		if _, seq := sched.Get(w).State(); seq != before || !asleep() {
			t.Fatalf("%s: an ignored signal woke it", x.name)
		}
		m.call(0, nrTgkill, 1, uint64(w), sigURG)
		m.spin(func() bool { return len(*got) == 1 })
		m.spin(asleep)
		if result != x.want {
			t.Errorf("%s: %d, want %d", x.name, result, x.want)
		}
		if _, after := sched.Get(w).State(); after == before {
			t.Errorf("%s: it never woke", x.name)
		}
	}
}

// A process-directed signal that another thread takes first leaves the sleeper where it was: it sleeps again, to its first deadline.
func TestSignalTakenByAnotherRestartsTransparently(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigURG, 0, 0)
	start := m.time.Load()
	if r := m.call(0, nrNanosleep, timespecAt(10*second), 0); r != blocked {
		t.Fatal("no sleep")
	}
	m.idleTo(start + 4*second)
	processPending.post(sigURG, sigInfo{})
	alert(0, mainThread, thread(mainThread))
	processPending.drop(bit(sigURG)) // somebody took it
	m.idleTo(start + 9*second)
	if sched.Current(0) != 0 {
		t.Fatalf("awake after %d ns with %d", m.time.Load()-start, int64(sched.Get(mainThread).Ctx.RAX))
	}
	m.idleTo(start + 10*second + 10*tick)
	if c := &sched.Get(mainThread).Ctx; sched.Current(0) != mainThread || c.RAX != 0 {
		t.Errorf("after the deadline: current %d, RAX %d", sched.Current(0), int64(c.RAX))
	}
}

// Sleeps, wakeups, time-outs and signals against each other on all CPUs. Each sleeper counts what ended its sleeps; whatever is
// lost leaves it asleep for ever, whatever is done twice breaks an assertion of the scheduler or of the queues.
func TestSleepTorture(t *testing.T) {
	const ncpu, sleepers, rounds = 4, 12, 500
	m := boot(t, ncpu)
	m.handle(sigURG, saRestart, 0)
	var handled atomic.Int64
	m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) { handled.Add(1) }
	w := new([4]atomic.Uint32)
	at := func(i int) uint64 { return addressOf(&w[i%len(w)]) }
	var addresses [4]uint64
	for i := range addresses {
		addresses[i] = at(i)
	}
	var left atomic.Int32
	var done atomic.Bool
	var ends [5]atomic.Int64
	left.Store(sleepers)
	var ids [sleepers]sched.ID
	short := timespecAt(5 * tick)
	for i := range ids {
		round, r := 0, rng(uint64(i))
		var call uint64
		ids[i] = m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			if round != 0 {
				switch e := int64(c.RAX); {
				case e == 0 && call == nrFutex:
					ends[0].Add(1)
				case e == 0:
					ends[1].Add(1)
				case e == etimedout && call == nrFutex:
					ends[2].Add(1)
				case e == eintr:
					ends[3].Add(1)
				case e == eagain && call == nrFutex:
					ends[4].Add(1)
				default:
					m.Errorf("thread %d: call %d ends with %d", t, call, e)
				}
			}
			if round++; round > rounds {
				if left.Add(-1) == 0 {
					done.Store(true)
				}
				set(c, nrNanosleep, timespecAt(1<<40), 0)
				return true
			}
			a := addresses[r.IntN(len(addresses))]
			v := uint64(w[0].Load()) // as likely stale as not
			switch r.IntN(4) {
			case 0:
				call = nrNanosleep
				set(c, nrNanosleep, short, 0)
			case 1:
				call = nrFutex
				set(c, nrFutex, a, futexOpWait, v, 0)
			default:
				call = nrFutex
				set(c, nrFutex, a, futexOpWait, v, short)
			}
			return true
		})
	}
	for i := range 4 {
		r := rng(uint64(100 + i))
		m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			a := addresses[r.IntN(len(addresses))]
			switch r.IntN(6) {
			case 0:
				for i := range w {
					w[i].Store(w[i].Load() ^ 1)
				}
				set(c, nrFutex, a, futexOpWake, 1<<31-1)
			case 1, 2:
				set(c, nrFutex, a, futexOpWake, uint64(1+r.IntN(3)))
			case 3:
				set(c, nrFutex, a, futexOpRequeue, 1, 2, addresses[r.IntN(len(addresses))])
			case 4:
				set(c, nrTgkill, processID, uint64(ids[r.IntN(sleepers)]), sigURG)
			default:
				set(c, nrSchedYield)
			}
			return true
		})
	}
	m.programs[mainThread] = func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrSchedYield); return true }
	m.parallel(&done, 20_000_000)
	for i := range ends {
		if ends[i].Load() == 0 {
			t.Errorf("nothing ended in way %d: the test is too tame", i)
		}
	}
	if handled.Load() == 0 {
		t.Error("no handler ran")
	}
}

// A signal that comes between the thread's last way out and its call must not find it asleep: the sleep does not begin.
func TestSignalForestallsASleep(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigURG, saRestart, 0)
	got := m.recordSignals()
	c := &sched.Get(mainThread).Ctx
	raise(0, mainThread, sigURG, sender)
	set(c, nrNanosleep, timespecAt(10*second), 0)
	Syscall(0, mainThread)
	if s, _ := sched.Get(mainThread).State(); s != sched.StateRunning || thread(mainThread).waitOn.Load() != 0 {
		t.Fatal("it sleeps, with a signal pending")
	}
	m.leave(0)
	m.settled()
	if len(*got) != 1 || int64(c.RAX) != eintr {
		t.Errorf("signals %v, result %d", *got, int64(c.RAX))
	}
}

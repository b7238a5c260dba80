package linux

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"pdac/kernel/sched"
)

// recordSignals makes the machine note what its handler sees.
func (m *machine) recordSignals() *[]int {
	got := new([]int)
	m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) { *got = append(*got, sig) }
	return got
}

// settled runs CPU 0 until the main thread runs no handler.
func (m *machine) settled() {
	m.Helper()
	m.spin(func() bool {
		return sched.Current(0) == mainThread && sched.Get(mainThread).Ctx.RIP == codeAt+syscallLength
	})
}

func TestSigactionArguments(t *testing.T) {
	m := boot(t, 1)
	in, out := sigAction{handler, saRestorer | saRestart, restorer, ^uint64(0)}, sigAction{}
	m.want(0, nrRtSigaction, sigURG, addressOf(&in), 0, sigsetSize)
	m.want(0, nrRtSigaction, sigURG, 0, addressOf(&out), sigsetSize)
	in.mask &^= unblockable
	if out != in {
		t.Errorf("action reads back as %+v", out)
	}
	m.want(einval, nrRtSigaction, 0, 0, 0, sigsetSize)
	m.want(einval, nrRtSigaction, sigMax+1, 0, 0, sigsetSize)
	m.want(einval, nrRtSigaction, sigURG, 0, 0, 16)
	m.want(einval, nrRtSigaction, sigKILL, addressOf(&in), 0, sigsetSize)
	m.want(einval, nrRtSigaction, sigSTOP, addressOf(&in), 0, sigsetSize)
	m.want(0, nrRtSigaction, sigKILL, 0, addressOf(&out), sigsetSize)
	m.want(efault, nrRtSigaction, sigURG, 8, 0, sigsetSize)
	m.want(efault, nrRtSigaction, sigURG, 0, userEnd, sigsetSize)
	m.want(0, nrRtSigaction, sigMax, addressOf(&in), 0, sigsetSize)
}

func TestSigprocmask(t *testing.T) {
	m := boot(t, 1)
	w, a := words(2)
	old := a + 8
	w[0] = 0xff
	m.want(0, nrRtSigprocmask, 2, a, old, sigsetSize)
	w[0] = 0xf00
	m.want(0, nrRtSigprocmask, 0, a, old, sigsetSize)
	if w[1] != 0xff&^unblockable {
		t.Errorf("SETMASK left %#x", w[1])
	}
	w[0] = 0xf
	m.want(0, nrRtSigprocmask, 1, a, old, sigsetSize)
	if w[1] != 0xfff&^unblockable {
		t.Errorf("BLOCK left %#x", w[1])
	}
	m.want(0, nrRtSigprocmask, 99, 0, old, sigsetSize)
	if w[1] != 0xff0&^unblockable {
		t.Errorf("UNBLOCK left %#x", w[1])
	}
	m.want(einval, nrRtSigprocmask, 99, a, old, sigsetSize)
	m.want(einval, nrRtSigprocmask, 0, a, old, 4)
	m.want(efault, nrRtSigprocmask, 0, 8, old, sigsetSize)
	m.want(efault, nrRtSigprocmask, 0, 0, 8, sigsetSize)
}

func TestKillArguments(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigURG, saRestart, 0)
	got := m.recordSignals()
	for _, x := range []struct {
		want int64
		nr   uint64
		args []uint64
	}{
		{0, nrTgkill, []uint64{1, 1, 0}},
		{esrch, nrTgkill, []uint64{1, 2, sigURG}},
		{esrch, nrTgkill, []uint64{2, 1, sigURG}},
		{esrch, nrTgkill, []uint64{1, 1 << 20, sigURG}},
		{einval, nrTgkill, []uint64{0, 1, sigURG}},
		{einval, nrTgkill, []uint64{1, 0, sigURG}},
		{einval, nrTgkill, []uint64{1, ^uint64(0), sigURG}},
		{einval, nrTgkill, []uint64{1, 1, 65}},
		{esrch, nrTkill, []uint64{5, sigURG}},
		{einval, nrTkill, []uint64{1, ^uint64(0)}},
		{esrch, nrKill, []uint64{3, sigURG}},
		{einval, nrKill, []uint64{1, 65}},
		{0, nrKill, []uint64{1, 0}},
		{0, nrKill, []uint64{0, 0}},
		{efault, nrRtTgsigqueueinfo, []uint64{1, 1, sigURG, 8}},
	} {
		m.want(x.want, x.nr, x.args...)
	}
	if len(*got) != 0 {
		t.Errorf("signals %v were sent", *got)
	}
}

func TestSignalsWaitForTheMask(t *testing.T) {
	m := boot(t, 1)
	const sigA, sigB = 10, 40
	m.handle(sigA, 0, 0)
	m.handle(sigB, 0, 0)
	got := m.recordSignals()
	w, a := words(2)
	w[0] = bit(sigA) | bit(sigB)
	m.want(0, nrRtSigprocmask, 0, a, 0, sigsetSize)
	m.want(0, nrTgkill, 1, 1, sigB)
	m.want(0, nrKill, 1, sigA)
	m.want(0, nrTgkill, 1, 1, sigB)
	m.want(0, nrRtSigpending, a+8, sigsetSize)
	if w[1] != w[0] || len(*got) != 0 {
		t.Fatalf("pending %#x, delivered %v", w[1], *got)
	}
	m.call(0, nrRtSigprocmask, 1, a, 0, sigsetSize)
	m.settled()
	// The second frame is on top: its handler runs first.
	if len(*got) != 2 || (*got)[0] != sigA || (*got)[1] != sigB {
		t.Errorf("delivered %v", *got)
	}
	m.want(0, nrRtSigpending, a+8, sigsetSize)
	if w[1] != 0 {
		t.Errorf("still pending: %#x", w[1])
	}
}

func TestSignalDefaultActions(t *testing.T) {
	m := boot(t, 1)
	for _, sig := range []uint64{sigCHLD, sigURG, sigWINCH, sigCONT, sigTSTP, sigSTOP} {
		m.want(0, nrTgkill, 1, 1, sig)
		m.want(0, nrKill, 1, sig)
	}
	ign := sigAction{handler: sigIgnore}
	m.want(0, nrRtSigaction, sigPIPE, addressOf(&ign), 0, sigsetSize)
	m.want(0, nrTgkill, 1, 1, sigPIPE)
	if len(m.fatal) != 0 {
		t.Fatalf("a harmless signal killed: %v", m.fatal)
	}
	m.want(0, nrTgkill, 1, 1, sigHUP)
	m.handle(sigSEGV, 0, 0)
	m.want(0, nrKill, 1, sigKILL)
	if len(m.fatal) != 2 || m.fatal[0].sig != sigHUP || m.fatal[1].sig != sigKILL {
		t.Errorf("fatal: %v", m.fatal)
	}
}

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

func TestProcessSignalGoesToAThreadThatTakesIt(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigURG, saRestart, 0)
	var to sched.ID
	m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) { to = t }
	w, a := words(1)
	other := m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
		set(c, nrNanosleep, timespecAt(second/1000), 0)
		return true
	})
	m.programs[mainThread] = func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrSchedYield); return true }
	w[0] = bit(sigURG)
	m.want(0, nrRtSigprocmask, 0, a, 0, sigsetSize)
	m.call(0, nrKill, 1, sigURG)
	m.spin(func() bool { return to != 0 })
	if to != other {
		t.Errorf("thread %d took it, which blocks it", to)
	}
}

func TestSignalFlags(t *testing.T) {
	m := boot(t, 1)
	const sig = 12
	var inside uint64
	m.handled = func(cpu int, t sched.ID, s int, f *sigFrame) { inside = thread(t).mask.Load() }
	m.handle(sig, 0, bit(20)|bit(sigKILL))
	m.call(0, nrTgkill, 1, 1, sig)
	m.settled()
	if inside != bit(20)|bit(sig) {
		t.Errorf("mask in the handler: %#x", inside)
	}
	if thread(1).mask.Load() != 0 {
		t.Errorf("mask after it: %#x", thread(1).mask.Load())
	}
	m.handle(sig, saNoDefer|saResetHand, 0)
	m.call(0, nrTgkill, 1, 1, sig)
	m.settled()
	if inside != 0 {
		t.Errorf("mask in a handler with SA_NODEFER: %#x", inside)
	}
	m.call(0, nrTgkill, 1, 1, sig)
	if len(m.fatal) != 1 || m.fatal[0].sig != sig {
		t.Errorf("SA_RESETHAND leaves the handler: fatal %v", m.fatal)
	}
}

func TestSigaltstack(t *testing.T) {
	m := boot(t, 1)
	stk := new([8192]byte)
	in, out := altStack{base: addressOf(stk), size: 8192}, altStack{}
	m.want(0, nrSigaltstack, 0, addressOf(&out))
	if out.flags != ssDisable {
		t.Errorf("flags at first: %d", out.flags)
	}
	m.want(enomem, nrSigaltstack, addressOf(&altStack{base: in.base, size: minStackSize - 1}), 0)
	m.want(einval, nrSigaltstack, addressOf(&altStack{base: in.base, size: 8192, flags: 4}), 0)
	m.want(0, nrSigaltstack, addressOf(&in), 0)
	m.want(0, nrSigaltstack, 0, addressOf(&out))
	if out != in {
		t.Errorf("reads back as %+v", out)
	}
	m.handle(sigURG, saOnStack, 0)
	m.handle(sigCHLD, 0, 0)
	var on [2]bool
	var nested altStack
	m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) {
		on[0] = in.holds(uint64(uintptr(unsafe.Pointer(f))))
		th := thread(t)
		nested = th.altStack.state(sched.Get(t).Ctx.RSP)
		on[1] = th.altStack.set(&in, sched.Get(t).Ctx.RSP) == eperm
	}
	m.call(0, nrTgkill, 1, 1, sigURG)
	m.settled()
	if !on[0] || nested.flags != ssOnStack || !on[1] {
		t.Errorf("handler on the stack %v, flags %d, cannot be changed %v", on[0], nested.flags, on[1])
	}
	m.call(0, nrTgkill, 1, 1, sigCHLD)
	m.settled()
	if on[0] || nested.flags != 0 {
		t.Error("a handler without SA_ONSTACK runs on it")
	}
	m.want(0, nrSigaltstack, addressOf(&altStack{flags: ssDisable}), 0)
	m.call(0, nrTgkill, 1, 1, sigURG)
	m.settled()
	if on[0] {
		t.Error("a handler runs on the stack that is disabled")
	}
}

func TestQueuedInfo(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigURG, 0, 0)
	var got sigUserInfo
	m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) { got = f.info }
	info := [16]uint64{0, 0xffffffff, 7 | 8<<32, 0x1234567890}
	m.call(0, nrRtTgsigqueueinfo, 1, 1, sigURG, addressOf(&info))
	m.settled()
	if got.signo != sigURG || got.code != -1 || got.first != info[2] || got.second != info[3] {
		t.Errorf("info %+v", got)
	}
	info[1] = 0
	m.want(eperm, nrRtTgsigqueueinfo, 1, 1, sigURG, addressOf(&info))
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

// The thread that was chosen for a signal to the process blocks it, or ends, before it can take it.
func TestProcessSignalOfAThreadThatCannotTakeItGoesToAnother(t *testing.T) {
	for _, last := range [][]uint64{{nrRtSigprocmask, 0, 0, 0, sigsetSize}, {nrExit, 0}} {
		m := boot(t, 1)
		w, a := words(1)
		w[0] = ^uint64(0)
		if last[0] == nrRtSigprocmask {
			last[2] = a
		}
		m.handle(sigURG, saRestart, 0)
		var to []sched.ID
		m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) { to = append(to, t) }
		done := false
		other := m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			if !done {
				done = true
				processPending.post(sigURG, sigInfo{}) // between this thread's last look and its call
				alert(cpu, t, thread(t))
				set(c, last[0], last[1:]...)
				return true
			}
			set(c, nrNanosleep, timespecAt(900*second), 0)
			return true
		})
		m.programs[mainThread] = func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrSchedYield); return true }
		m.spin(func() bool { return done && sched.Current(0) == mainThread })
		for range 100 {
			m.step(0)
		}
		if len(to) != 1 || to[0] != mainThread {
			t.Errorf("%s: threads %v took it, want the main thread; the one that was told is %d", Name(last[0]), to, other)
		}
	}
}

package linux

import (
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

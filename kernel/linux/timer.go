package linux

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/lockfree"
	"pdac/kernel/sched"
)

// Timers: timer_create(2) and setitimer(2) over the scheduler's. A timer's ID is the number of its scheduler timer, and the record
// here has the same index.
//
// The scheduler's timers run on monotonic time. A CPU-time timer is armed for the earliest moment at which its clock can reach the
// expiry, looks then, and is armed again for the rest. One of a thread follows that thread: it is armed on the CPU where it runs,
// which alone knows its CPU time. A timer that finds it elsewhere, or not running, leaves it to Deliver (idleTimers, Attn), and
// interrupts the CPU where it runs. The timer sets those two, then looks whether the thread runs; a thread starts to run, then
// looks at Attn; so one of them sees the other.
//
// A signal that is still pending when the timer fires again is not sent twice: the expiration counts as overrun.
//
// Each record is under its own lock. Lock order: Thread.timerLock, PosixTimer.lock, the scheduler's. No signal is sent under them.

// PosixTimer is the record of one timer.
type PosixTimer struct {
	lock   lockfree.SpinLock
	live   bool
	clock  uint64
	notify int32
	sig    int32
	target sched.ID // thread that gets the signal, 0: the process
	owner  sched.ID // thread whose CPU time is meant, 0: not such a timer
	next   sched.Timer
	value  uint64

	expiry   uint64 // ns of the clock, 0: disarmed
	interval uint64 // ns, 0: once
	overrun  uint64 // expirations that the last signal did not count
}

var timers []PosixTimer

// Ways of notification (sigevent(7)).
const (
	sigevSignal   = 0
	sigevNone     = 1
	sigevThreadID = 4

	// byItimer marks the three timers of setitimer.
	byItimer = 100

	overrunMax = 1<<31 - 1 // DELAYTIMER_MAX

	// cpuLook is the least time between two looks at the process's CPU time, in ns.
	cpuLook = 1_000_000
)

// sigevent is struct sigevent.
type sigevent struct {
	value       uint64
	sig, notify int32
	thread      int32
	_           [44]byte
}

// read returns what the timer's clock shows.
func (p *PosixTimer) read(cpu int) uint64 {
	ns, _ := readClock(cpu, p.clock, p.owner)
	return ns
}

// arm makes the scheduler's timer go off when the clock, which shows ns, can first reach the expiry. p is locked.
func (p *PosixTimer) arm(cpu int, tm sched.Timer, ns uint64) {
	left := p.expiry - min(ns, p.expiry)
	switch {
	case p.owner != 0:
		if p.owner != sched.Current(cpu) {
			p.follow(cpu)
			return
		}
	case p.clock == clockProcessCPU:
		left = max(left/uint64(ncpu), cpuLook)
	}
	sched.ArmTimer(cpu, tm, min(now()+left, forever))
}

// follow has the thread whose CPU time the timer measures arm it, where and when it runs.
func (p *PosixTimer) follow(cpu int) {
	task := sched.Get(p.owner)
	thread(p.owner).idleTimers.Store(true)
	task.Attn.Store(1)
	if s, _ := task.State(); s == sched.StateRunning {
		sched.Urgent(cpu, p.owner)
	}
}

// resumeTimers arms the CPU-time timers of t, which is about to run.
func resumeTimers(cpu int, t sched.ID, th *Thread) {
	th.idleTimers.Store(false)
	th.timerLock.Lock()
	for tm := th.timers; tm != 0; tm = timers[tm].next {
		p := &timers[tm]
		p.lock.Lock()
		if p.expiry != 0 {
			p.arm(cpu, tm, p.read(cpu))
		}
		p.lock.Unlock()
	}
	th.timerLock.Unlock()
}

// onTimer is the scheduler's hook: timer tm has gone off.
func onTimer(cpu int, tm sched.Timer) {
	p := &timers[tm]
	p.lock.Lock()
	if p.expiry == 0 {
		p.lock.Unlock()
		return
	}
	ns := p.read(cpu)
	if ns < p.expiry {
		p.arm(cpu, tm, ns)
		p.lock.Unlock()
		return
	}
	missed := uint64(0)
	if p.interval == 0 {
		p.expiry = 0
	} else {
		missed = (ns - p.expiry) / p.interval
		p.expiry += (missed + 1) * p.interval
		p.arm(cpu, tm, ns)
	}
	sig, notify, target, value := int(p.sig), p.notify, p.target, p.value
	if notify != sigevNone {
		set := &processPending
		if target != 0 {
			set = &thread(target).pending
		}
		if set.set.Load()&bit(sig) != 0 {
			p.overrun += missed + 1
			sig = 0
		} else {
			p.overrun = missed
		}
	}
	overrun := min(p.overrun, overrunMax)
	p.lock.Unlock()

	switch {
	case notify == sigevNone || sig == 0:
	case notify == byItimer:
		raiseProcess(cpu, sig, sigInfo{code: siKernel})
	default:
		info := sigInfo{code: siTimer, first: uint64(tm) | overrun<<32, second: value}
		if target == 0 {
			raiseProcess(cpu, sig, info)
		} else if exists(target) {
			raise(cpu, target, sig, info)
		}
	}
}

// newTimer takes a scheduler's timer and fills in its record.
func newTimer(cpu int, clock uint64, notify int32, sig int32, target, owner sched.ID) (sched.Timer, bool) {
	tm, ok := sched.NewTimer(cpu)
	if !ok {
		return 0, false
	}
	for {
		h := highTimer.Load()
		if tm <= h || highTimer.CompareAndSwap(h, tm) {
			break
		}
	}
	p := &timers[tm]
	p.lock.Lock()
	p.clock, p.notify, p.sig, p.target, p.owner = clock, notify, sig, target, owner
	p.value, p.expiry, p.interval, p.overrun = 0, 0, 0, 0
	p.lock.Unlock()
	return tm, true
}

// deleteTimer gives the timer back, once its hook does not run any more. The record is not live, so that nobody else does.
func deleteTimer(cpu int, tm sched.Timer) {
	p := &timers[tm]
	p.lock.Lock()
	p.expiry = 0
	p.lock.Unlock()
	sched.FreeTimer(cpu, tm)
}

// dropTimers deletes the CPU-time timers of a thread that ends.
func dropTimers(cpu int, t sched.ID, th *Thread) {
	for {
		th.timerLock.Lock()
		tm := th.timers
		if tm != 0 {
			th.timers = timers[tm].next
		}
		th.timerLock.Unlock()
		if tm == 0 {
			return
		}
		if timers[tm].kill() {
			deleteTimer(cpu, tm)
		}
	}
}

// kill ends the life of the record and says whether it lived: whoever ends it deletes the timer.
func (p *PosixTimer) kill() bool {
	p.lock.Lock()
	was := p.live
	p.live = false
	p.lock.Unlock()
	return was
}

// unlist takes tm out of its owner's list.
func (p *PosixTimer) unlist(tm sched.Timer) {
	if p.owner == 0 {
		return
	}
	th := thread(p.owner)
	th.timerLock.Lock()
	for at := &th.timers; *at != 0; at = &timers[*at].next {
		if *at == tm {
			*at = p.next
			break
		}
	}
	th.timerLock.Unlock()
}

// sysTimerCreate is timer_create(clock, sigevent, id).
func sysTimerCreate(cpu int, t sched.ID, c *sched.Context) int64 {
	var owner sched.ID
	switch c.RDI {
	case clockRealtime, clockMonotonic, clockProcessCPU, clockBoottime, clockTAI:
	case clockThreadCPU:
		owner = t
	default:
		return einval
	}
	ev := sigevent{sig: sigALRM}
	if c.RSI != 0 && !copyIn(unsafe.Pointer(&ev), c.RSI, uint64(unsafe.Sizeof(ev))) {
		return efault
	}
	var target sched.ID
	switch ev.notify {
	case sigevNone:
	case sigevThreadID:
		if target = sched.ID(ev.thread); !exists(target) {
			return einval
		}
		fallthrough
	case sigevSignal:
		if ev.sig < 1 || ev.sig > sigMax {
			return einval
		}
	default:
		return einval
	}
	tm, ok := newTimer(cpu, c.RDI, ev.notify, ev.sig, target, owner)
	if !ok {
		return eagain
	}
	p := &timers[tm]
	p.value = ev.value
	if c.RSI == 0 {
		p.value = uint64(tm)
	}
	if !store32(c.RDX, uint32(tm)) {
		deleteTimer(cpu, tm)
		return efault
	}
	if owner != 0 {
		th := thread(owner)
		th.timerLock.Lock()
		p.next, th.timers = th.timers, tm
		th.timerLock.Unlock()
	}
	p.lock.Lock()
	p.live = true
	p.lock.Unlock()
	return 0
}

// lockTimer returns the timer of that ID, locked, or nil.
func lockTimer(id uint64) (sched.Timer, *PosixTimer) {
	tm := sched.Timer(id)
	if int32(tm) <= 0 || int(tm) >= len(timers) || tm > highTimer.Load() {
		return 0, nil
	}
	p := &timers[tm]
	p.lock.Lock()
	if !p.live || p.notify == byItimer {
		p.lock.Unlock()
		return 0, nil
	}
	return tm, p
}

// set arms the timer for value ns, of the clock if absolute, else from now on, or disarms it if that is 0; old values are returned.
// p is locked.
func (p *PosixTimer) set(cpu int, tm sched.Timer, value, interval uint64, absolute bool) (oldLeft, oldInterval uint64) {
	ns := p.read(cpu)
	oldLeft, oldInterval = p.left(ns), p.interval
	p.interval, p.overrun = interval, 0
	if value == 0 {
		p.expiry = 0 // when the scheduler's timer goes off it finds nothing to do
		return
	}
	if !absolute {
		value += ns
	}
	p.expiry = min(value, forever)
	p.arm(cpu, tm, ns)
	return
}

// left is the time until the expiry when the clock shows ns, 0 if disarmed.
func (p *PosixTimer) left(ns uint64) uint64 {
	if p.expiry == 0 {
		return 0
	}
	return max(p.expiry, ns+1) - ns
}

// sysTimerSettime is timer_settime(id, flags, new, old); an itimerspec is interval and value.
func sysTimerSettime(cpu int, c *sched.Context) int64 {
	interval, e := loadTimespec(c.RDX)
	if e != 0 {
		return e
	}
	value, e := loadTimespec(c.RDX + 16)
	if e != 0 {
		return e
	}
	tm, p := lockTimer(c.RDI)
	if p == nil {
		return einval
	}
	left, period := p.set(cpu, tm, value, interval, c.RSI&timerAbstime != 0)
	p.lock.Unlock()
	if c.R10 == 0 {
		return 0
	}
	return storeItimerspec(c.R10, period, left)
}

func storeItimerspec(a, interval, value uint64) int64 {
	v := [2]timespec{toTimespec(interval), toTimespec(value)}
	if !copyOut(a, unsafe.Pointer(&v), uint64(unsafe.Sizeof(v))) {
		return efault
	}
	return 0
}

func sysTimerGettime(cpu int, c *sched.Context) int64 {
	_, p := lockTimer(c.RDI)
	if p == nil {
		return einval
	}
	left, interval := p.left(p.read(cpu)), p.interval
	p.lock.Unlock()
	return storeItimerspec(c.RSI, interval, left)
}

func sysTimerGetoverrun(c *sched.Context) int64 {
	_, p := lockTimer(c.RDI)
	if p == nil {
		return einval
	}
	n := min(p.overrun, overrunMax)
	p.lock.Unlock()
	return int64(n)
}

func sysTimerDelete(cpu int, c *sched.Context) int64 {
	tm, p := lockTimer(c.RDI)
	if p == nil {
		return einval
	}
	p.live = false
	p.lock.Unlock()
	p.unlist(tm)
	deleteTimer(cpu, tm)
	return 0
}

// highTimer is the highest timer number that there ever was: records above may have no memory.
var highTimer atomic.Uint32

package linux

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/sched"
)

// Interval timers (setitimer(2)): one each of real time and of the process's CPU time, twice, since there is no system time apart.
// They are made at first use and never deleted.

const (
	itimers = 3
	making  = ^uint32(0) // in itimer: somebody is making it
)

// itimer are the numbers of the timers, 0: not made yet.
var itimer [itimers]atomic.Uint32

// itimerClock and itimerSignal are what ITIMER_REAL, ITIMER_VIRTUAL and ITIMER_PROF measure and send.
var (
	itimerClock  = [itimers]uint64{clockMonotonic, clockProcessCPU, clockProcessCPU}
	itimerSignal = [itimers]int32{sigALRM, sigVTALRM, sigPROF}
)

// timeval is struct timeval.
type timeval struct{ sec, usec int64 }

func (tv timeval) ns() (uint64, int64) {
	if uint64(tv.usec) >= 1_000_000 {
		return 0, einval
	}
	return timespec{tv.sec, tv.usec * 1000}.ns()
}

func toTimeval(ns uint64) timeval {
	ns += 999 // what is not over must not look over
	return timeval{int64(ns / second), int64(ns % second / 1000)}
}

// madeItimer returns the timer of that kind, made if it is not there yet; 0 if that is impossible now.
func madeItimer(cpu int, kind uint64) sched.Timer {
	at := &itimer[kind]
	if tm := at.Load(); tm != 0 && tm != making {
		return tm
	}
	if !at.CompareAndSwap(0, making) {
		return 0
	}
	tm, ok := newTimer(cpu, itimerClock[kind], byItimer, itimerSignal[kind], 0, 0)
	if !ok {
		tm = 0
	}
	at.Store(tm)
	return tm
}

// sysSetitimer is setitimer(which, new, old).
func sysSetitimer(cpu int, c *sched.Context) int64 {
	if c.RDI >= itimers {
		return einval
	}
	var n [2]timeval // interval, value
	if c.RSI != 0 && !copyIn(unsafe.Pointer(&n), c.RSI, uint64(unsafe.Sizeof(n))) {
		return efault
	}
	interval, e := n[0].ns()
	if e != 0 {
		return e
	}
	value, e := n[1].ns()
	if e != 0 {
		return e
	}
	var left, period uint64
	if tm := madeItimer(cpu, c.RDI); tm != 0 {
		p := &timers[tm]
		p.lock.Lock()
		left, period = p.set(cpu, tm, value, interval, false)
		p.lock.Unlock()
	} else if value != 0 {
		return eagain
	}
	return storeItimerval(c.RDX, period, left)
}

// sysGetitimer is getitimer(which, value).
func sysGetitimer(cpu int, c *sched.Context) int64 {
	if c.RDI >= itimers {
		return einval
	}
	if c.RSI == 0 {
		return efault
	}
	var left, period uint64
	if tm := itimer[c.RDI].Load(); tm != 0 && tm != making {
		p := &timers[tm]
		p.lock.Lock()
		left, period = p.left(p.read(cpu)), p.interval
		p.lock.Unlock()
	}
	return storeItimerval(c.RSI, period, left)
}

func storeItimerval(a, interval, value uint64) int64 {
	if a == 0 {
		return 0
	}
	v := [2]timeval{toTimeval(interval), toTimeval(value)}
	if !copyOut(a, unsafe.Pointer(&v), uint64(unsafe.Sizeof(v))) {
		return efault
	}
	return 0
}

package linux

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/sched"
)

// Clocks. Time is that of the scheduler: monotonic ns, the same on every CPU. Wall time is that plus a constant.

// clockNow is Config.Now.
var clockNow func() uint64

// wall is what to add to now for the time since 1970.
var wall atomic.Uint64

// now is the monotonic time in ns.
func now() uint64 { return clockNow() }

// SetWall says that ns have passed since 1970-01-01 UTC when the monotonic clock showed 0. Callable from both worlds.
func SetWall(ns uint64) { wall.Store(ns) }

// Clock IDs (clock_gettime(2)).
const (
	clockRealtime   = 0
	clockMonotonic  = 1
	clockProcessCPU = 2
	clockThreadCPU  = 3
	clockRaw        = 4
	clockCoarseReal = 5
	clockCoarseMono = 6
	clockBoottime   = 7
	clockTAI        = 11
)

const (
	second = 1_000_000_000

	// forever bounds times, so that sums of two don't wrap: 146 years.
	forever = 1 << 62
)

// readClock returns what clock shows for thread t.
func readClock(cpu int, clock uint64, t sched.ID) (ns uint64, ok bool) {
	switch clock {
	case clockRealtime, clockCoarseReal, clockTAI: // no leap seconds are known: TAI is UTC
		return now() + wall.Load(), true
	case clockMonotonic, clockRaw, clockCoarseMono, clockBoottime:
		return now(), true
	case clockProcessCPU:
		return processTime(), true
	case clockThreadCPU:
		return threadTime(cpu, t), true
	}
	return 0, false
}

// processTime is the CPU time of all threads, living or dead, in ns.
func processTime() uint64 {
	var ns uint64
	for i := range ncpu {
		ns += sched.Stats(i).Busy
	}
	return ns
}

// threadTime is the CPU time of t in ns: exact for the thread that runs here, else as of its last switch or tick.
func threadTime(cpu int, t sched.ID) uint64 {
	if t == sched.Current(cpu) {
		return sched.CPUTime(cpu)
	}
	return sched.Info(t).CPUTime
}

// deadlineOf turns a time of clock, or a span, into a deadline for the scheduler, never 0.
func deadlineOf(clock, ns uint64, relative bool) uint64 {
	switch {
	case relative:
		ns += now()
	case clock == clockRealtime || clock == clockTAI:
		if w := wall.Load(); ns > w {
			ns -= w
		} else {
			ns = 0
		}
	}
	return min(max(ns, 1), forever)
}

// timespec is struct timespec.
type timespec struct{ sec, nsec int64 }

func toTimespec(ns uint64) timespec { return timespec{int64(ns / second), int64(ns % second)} }

// ns checks a program's timespec and turns it into nanoseconds, at most forever.
func (ts timespec) ns() (uint64, int64) {
	if ts.sec < 0 || uint64(ts.nsec) >= second {
		return 0, einval
	}
	if ts.sec >= forever/second {
		return forever, 0
	}
	return uint64(ts.sec)*second + uint64(ts.nsec), 0
}

func loadTimespec(a uint64) (ns uint64, e int64) {
	var ts timespec
	if !copyIn(unsafe.Pointer(&ts), a, uint64(unsafe.Sizeof(ts))) {
		return 0, efault
	}
	return ts.ns()
}

// storePair stores two words: a timespec or a timeval.
func storePair(a, first, second uint64) int64 {
	v := [2]uint64{first, second}
	if !copyOut(a, unsafe.Pointer(&v), uint64(unsafe.Sizeof(v))) {
		return efault
	}
	return 0
}

func sysClockGettime(cpu int, t sched.ID, c *sched.Context) int64 {
	ns, ok := readClock(cpu, c.RDI, t)
	if !ok {
		return einval
	}
	return storePair(c.RSI, ns/second, ns%second)
}

func sysClockGetres(cpu int, c *sched.Context) int64 {
	if _, ok := readClock(cpu, c.RDI, mainThread); !ok {
		return einval
	}
	if c.RSI == 0 {
		return 0
	}
	return storePair(c.RSI, 0, 1)
}

func sysGettimeofday(c *sched.Context) int64 {
	if c.RSI != 0 && !zeroUser(c.RSI, 8) { // struct timezone: UTC
		return efault
	}
	if c.RDI == 0 {
		return 0
	}
	ns := now() + wall.Load()
	return storePair(c.RDI, ns/second, ns%second/1000)
}

func sysTime(c *sched.Context) int64 {
	s := (now() + wall.Load()) / second
	if c.RDI != 0 && !store64(c.RDI, s) {
		return efault
	}
	return int64(s)
}

// sysTimes is times(2), in ticks of 10 ms: all CPU time counts as the user's, and there are no children.
func sysTimes(c *sched.Context) int64 {
	const tick = second / 100
	if c.RDI != 0 {
		v := [4]uint64{processTime() / tick}
		if !copyOut(c.RDI, unsafe.Pointer(&v), uint64(unsafe.Sizeof(v))) {
			return efault
		}
	}
	return int64(now() / tick)
}

// sysGetrusage fills in the CPU time; what is not measured is 0.
func sysGetrusage(cpu int, t sched.ID, c *sched.Context) int64 {
	const self, children, thread = 0, -1, 1
	var ns uint64
	switch int32(c.RDI) {
	case self:
		ns = processTime()
	case thread:
		ns = threadTime(cpu, t)
	case children:
	default:
		return einval
	}
	v := [18]uint64{ns / second, ns % second / 1000}
	if !copyOut(c.RSI, unsafe.Pointer(&v), uint64(unsafe.Sizeof(v))) {
		return efault
	}
	return 0
}

const timerAbstime = 1

// sysNanosleep is nanosleep(request, remaining).
func sysNanosleep(cpu int, t sched.ID, c *sched.Context) int64 {
	ns, e := loadTimespec(c.RDI)
	if e != 0 {
		return e
	}
	return nap(cpu, t, c, callDeadline(t, deadlineOf(clockMonotonic, ns, true)))
}

// sysClockNanosleep is clock_nanosleep(clock, flags, request, remaining).
func sysClockNanosleep(cpu int, t sched.ID, c *sched.Context) int64 {
	switch c.RDI {
	case clockRealtime, clockMonotonic, clockBoottime, clockTAI:
	case clockProcessCPU:
		return eopnotsupp
	default:
		return einval
	}
	ns, e := loadTimespec(c.RDX)
	if e != 0 {
		return e
	}
	return nap(cpu, t, c, callDeadline(t, deadlineOf(c.RDI, ns, c.RSI&timerAbstime == 0)))
}

// nap sleeps until the deadline: on the thread's own queue, where nobody wakes it.
func nap(cpu int, t sched.ID, c *sched.Context, deadline uint64) int64 {
	if now() >= deadline {
		return 0
	}
	q := &thread(t).nap
	q.lock(cpu)
	return sleep(cpu, t, c, q, 0, deadline, quiet)
}

// putRemaining stores what is left of a relative sleep that a signal ends, if the program wants to know; c is set to run the call
// again.
func putRemaining(c *sched.Context, deadline uint64) {
	var a uint64
	switch {
	case c.RAX == nrNanosleep:
		a = c.RSI
	case c.RAX == nrClockNanosleep && c.RSI&timerAbstime == 0:
		a = c.R10
	}
	if a == 0 {
		return
	}
	var left uint64
	if n := now(); n < deadline {
		left = deadline - n
	}
	storePair(a, left/second, left%second) // a bad pointer is the program's loss: the sleep is over
}

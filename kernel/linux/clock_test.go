package linux

import (
	"testing"

	"pdac/kernel/sched"
)

func TestClocks(t *testing.T) {
	m := boot(t, 1)
	w, a := words(4)
	at := uint64(5*second + 123_456_789)
	for _, x := range []struct {
		clock uint64
		wall  bool
	}{{clockRealtime, true}, {clockCoarseReal, true}, {clockTAI, true}, {clockMonotonic, false}, {clockRaw, false},
		{clockCoarseMono, false}, {clockBoottime, false}} {
		m.time.Store(at)
		m.want(0, nrClockGettime, x.clock, a)
		sec := uint64(5)
		if x.wall {
			sec += wallTime / second
		}
		if w[0] != sec || w[1] != 123_456_789 {
			t.Errorf("clock %d: %d.%09d", x.clock, w[0], w[1])
		}
		m.want(0, nrClockGetres, x.clock, a)
		if w[0] != 0 || w[1] != 1 {
			t.Errorf("resolution of clock %d: %d.%09d", x.clock, w[0], w[1])
		}
	}
	m.want(einval, nrClockGettime, 12, a)
	m.want(einval, nrClockGetres, 8, a)
	m.want(efault, nrClockGettime, 0, 8)
	m.want(0, nrClockGetres, 0, 0)

	m.time.Store(at)
	w[3] = 99
	m.want(0, nrGettimeofday, a, a+24)
	if w[0] != wallTime/second+5 || w[1] != 123_456 || w[3] != 0 {
		t.Errorf("gettimeofday: %v", w)
	}
	m.time.Store(at)
	m.want(int64(wallTime/second+5), nrTime, a)
	if w[0] != wallTime/second+5 {
		t.Errorf("time: %d", w[0])
	}
}

func TestCPUTime(t *testing.T) {
	m := boot(t, 2)
	w, a := words(18)
	m.time.Add(3 * second) // the main thread computes
	m.want(0, nrClockGettime, clockThreadCPU, a)
	if w[0] != 3 {
		t.Errorf("thread CPU time %d.%09d", w[0], w[1])
	}
	m.want(0, nrGetrusage, 1, a) // RUSAGE_THREAD
	if w[0] != 3 {
		t.Errorf("getrusage: %d.%06d", w[0], w[1])
	}
	m.want(0, nrClockGettime, clockProcessCPU, a)
	if w[0] < 3 {
		t.Errorf("process CPU time %d.%09d", w[0], w[1])
	}
	m.want(0, nrGetrusage, ^uint64(0), a)
	if w[0] != 0 {
		t.Error("children that were never there took time")
	}
	m.want(einval, nrGetrusage, 7, a)
	if r := m.call(0, nrTimes, a); r != int64(m.time.Load()/(second/100)) || w[0] < 300 {
		t.Errorf("times = %d, %d", r, w[0])
	}
}

func TestNanosleepSleepsThatLong(t *testing.T) {
	m := boot(t, 1)
	c := &sched.Get(mainThread).Ctx
	for _, x := range []struct {
		name string
		call func(start uint64) int64
	}{
		{"nanosleep", func(uint64) int64 { return m.call(0, nrNanosleep, timespecAt(2*second), 0) }},
		{"relative", func(uint64) int64 { return m.call(0, nrClockNanosleep, clockRealtime, 0, timespecAt(2*second), 0) }},
		{"absolute", func(s uint64) int64 {
			return m.call(0, nrClockNanosleep, clockMonotonic, timerAbstime, timespecAt(int64(s)+2*second), 0)
		}},
		{"absolute, wall clock", func(s uint64) int64 {
			return m.call(0, nrClockNanosleep, clockRealtime, timerAbstime, timespecAt(wallTime+int64(s)+2*second), 0)
		}},
	} {
		start := m.time.Load()
		if r := x.call(start); r != blocked {
			t.Fatalf("%s: %d", x.name, r)
		}
		m.idleTo(start + 2*second - 10*tick)
		if sched.Current(0) != 0 {
			t.Fatalf("%s: awake after %d ns", x.name, m.time.Load()-start)
		}
		m.idleTo(start + 2*second + 10*tick)
		if sched.Current(0) != mainThread || c.RAX != 0 {
			t.Fatalf("%s: still asleep, or RAX %d", x.name, int64(c.RAX))
		}
	}
	m.want(0, nrNanosleep, timespecAt(0), 0)
	m.want(0, nrClockNanosleep, clockMonotonic, timerAbstime, timespecAt(1), 0)
	m.want(einval, nrNanosleep, addressOf(&timespec{0, second}), 0)
	m.want(einval, nrNanosleep, addressOf(&timespec{-1, 0}), 0)
	m.want(einval, nrClockNanosleep, clockThreadCPU, 0, timespecAt(1), 0)
	m.want(eopnotsupp, nrClockNanosleep, clockProcessCPU, 0, timespecAt(1), 0)
	m.want(efault, nrNanosleep, 8, 0)
	// A sleep of 292 billion years does not wrap.
	if r := m.call(0, nrNanosleep, addressOf(&timespec{1<<63 - 1, second - 1}), 0); r != blocked {
		t.Errorf("the longest sleep: %d", r)
	}
}

func TestNanosleepInterruptedTellsWhatIsLeft(t *testing.T) {
	for _, relative := range []bool{true, false} {
		m := boot(t, 1)
		m.handle(sigURG, saRestart, 0)
		w, a := words(2)
		state, result := 0, int64(0)
		var start, end uint64
		sleeper := m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			switch state++; state {
			case 1:
				start = m.time.Load()
				if relative {
					set(c, nrNanosleep, timespecAt(10*second), a)
				} else {
					set(c, nrClockNanosleep, clockMonotonic, timerAbstime, timespecAt(int64(start)+10*second), a)
				}
			case 2:
				result, end = int64(c.RAX), m.time.Load()
				set(c, nrExit, 0)
			}
			return true
		})
		m.programs[mainThread] = func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrSchedYield); return true }
		m.spin(func() bool { return state == 1 && sched.Current(0) == mainThread })
		m.time.Store(start + 4*second)
		m.call(0, nrTgkill, 1, uint64(sleeper), sigURG)
		m.spin(func() bool { return state == 2 })
		if result != eintr {
			t.Fatalf("relative %v: %d", relative, result)
		}
		left := w[0]*second + w[1]
		if relative && (left > 6*second || left < start+10*second-end) || !relative && left != 0 {
			t.Errorf("relative %v: %d ns left", relative, left)
		}
	}
}

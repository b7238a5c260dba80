package linux

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"pdac/kernel/sched"
)

// event is struct epoll_event, packed.
type event [3]uint32

func (m *machine) epoll() uint64 {
	m.Helper()
	return uint64(m.call(0, nrEpollCreate1, oCloexec))
}

// control makes epoll_ctl, with data equal to the descriptor.
func (m *machine) control(want int64, ep, op, fd uint64, events uint32) {
	m.Helper()
	ev := event{events, uint32(fd), 0xabcd}
	m.want(want, nrEpollCtl, ep, op, fd, user(&ev[0]))
}

// ready polls ep and returns the events by descriptor.
func (m *machine) ready(ep uint64) map[uint64]uint32 {
	m.Helper()
	var evs [16]event
	n := m.call(0, nrEpollPwait, ep, user(&evs[0]), 16, 0, 0, 8)
	if n < 0 {
		m.Fatalf("epoll_pwait: %d", n)
	}
	got := map[uint64]uint32{}
	for _, e := range evs[:n] {
		if e[2] != 0xabcd {
			m.Errorf("data is %#x", e)
		}
		got[uint64(e[1])] = e[0]
	}
	return got
}

func (m *machine) wantReady(ep uint64, want map[uint64]uint32) {
	m.Helper()
	got := m.ready(ep)
	if len(got) != len(want) {
		m.Errorf("ready: %x, want %x", got, want)
		return
	}
	for fd, ev := range want {
		if got[fd] != ev {
			m.Errorf("ready: %x, want %x", got, want)
		}
	}
}

const (
	in   = epollIn | epollRdNorm
	out  = epollOut | epollWrNorm
	both = in | out
)

func TestEpollTriggers(t *testing.T) {
	m := bootFiles(t, 1, nil)
	v, p := words(1)
	ep := m.epoll()
	level, edge, once := uint64(m.call(0, nrEventfd2, 0, oNonblock)), uint64(m.call(0, nrEventfd2, 0, oNonblock)),
		uint64(m.call(0, nrEventfd2, 0, oNonblock))
	m.control(0, ep, epollAdd, level, both)
	m.control(0, ep, epollAdd, edge, both|epollEdge|epollRdHup)
	m.control(0, ep, epollAdd, once, in|epollOneshot)
	m.wantReady(ep, map[uint64]uint32{level: out, edge: out}) // the state at ADD
	m.wantReady(ep, map[uint64]uint32{level: out})
	v[0] = 1
	for _, fd := range []uint64{level, edge, once} {
		m.want(8, nrWrite, fd, p, 8)
	}
	m.wantReady(ep, map[uint64]uint32{level: both, edge: both, once: in})
	m.wantReady(ep, map[uint64]uint32{level: both})
	m.want(8, nrWrite, edge, p, 8) // a new event, though it was ready already
	m.want(8, nrWrite, once, p, 8)
	m.wantReady(ep, map[uint64]uint32{level: both, edge: both})
	m.control(0, ep, epollMod, once, in|epollOneshot)
	m.control(0, ep, epollMod, level, in)
	m.wantReady(ep, map[uint64]uint32{level: in, once: in})
	m.want(8, nrRead, level, p, 8)
	m.wantReady(ep, nil)
	m.want(8, nrWrite, level, p, 8)
	m.control(0, ep, epollDel, level, 0)
	m.wantReady(ep, nil)
	m.control(0, ep, epollAdd, level, 0) // asks for errors only
	m.wantReady(ep, nil)
}

func TestEpollPipes(t *testing.T) {
	m := bootFiles(t, 1, nil)
	ep := m.epoll()
	r, w := m.pipe(oNonblock)
	b := make([]byte, PipeSize)
	p, n := bytesAt(b)
	m.control(0, ep, epollAdd, r, in|epollEdge|epollRdHup)
	m.control(0, ep, epollAdd, w, out|epollEdge)
	m.wantReady(ep, map[uint64]uint32{w: out})
	m.want(PipeSize, nrWrite, w, p, n)
	m.wantReady(ep, map[uint64]uint32{r: in})
	m.want(100, nrRead, r, p, 100)
	m.wantReady(ep, nil) // less than PIPE_BUF is not room
	m.want(PipeBuf, nrRead, r, p, PipeBuf)
	m.wantReady(ep, map[uint64]uint32{w: out})
	m.want(0, nrClose, w)
	m.wantReady(ep, map[uint64]uint32{r: in | epollHup})

	r2, w2 := m.pipe(oNonblock)
	m.control(0, ep, epollAdd, w2, 0)
	m.want(0, nrClose, r2)
	m.wantReady(ep, map[uint64]uint32{w2: epollErr})
	m.wantReady(ep, map[uint64]uint32{w2: epollErr})
}

func TestEpollErrors(t *testing.T) {
	m := bootFiles(t, 1, archiveOf(t, []entryOf{{name: "f", data: "x"}}))
	ep, other := m.epoll(), m.epoll()
	e := uint64(m.call(0, nrEventfd2, 1, 0))
	m.control(eperm, ep, epollAdd, m.open("/f"), in) // os.Open counts on it
	m.control(eperm, ep, epollAdd, m.open("/"), in)
	m.control(eperm, ep, epollAdd, 1, in)
	m.control(ebadf, ep, epollAdd, 99, in)
	m.control(ebadf, 99, epollAdd, e, in)
	m.control(einval, ep, epollAdd, ep, in)
	m.control(einval, ep, epollAdd, other, in)
	m.control(einval, e, epollAdd, e, in)
	m.control(enoent, ep, epollMod, e, in)
	m.control(enoent, ep, epollDel, e, in)
	m.control(einval, ep, 7, e, in)
	m.control(0, ep, epollAdd, e, in)
	m.control(eexist, ep, epollAdd, e, in)
	m.control(0, other, epollAdd, e, in)
	d := uint64(m.call(0, nrDup, e))
	m.control(0, ep, epollAdd, d, in) // the same file under another descriptor
	m.want(efault, nrEpollCtl, ep, epollMod, e, badAddress)
	m.want(0, nrEpollCtl, other, epollDel, e, badAddress)
	m.wantReady(other, nil)

	var evs [4]event
	buf := user(&evs[0])
	m.want(einval, nrEpollWait, ep, buf, 0, 0)
	m.want(einval, nrEpollWait, ep, buf, 1<<31, 0)
	m.want(einval, nrEpollWait, e, buf, 4, 0)
	m.want(ebadf, nrEpollWait, 99, buf, 4, 0)
	m.want(efault, nrEpollWait, ep, badAddress, 4, 0)
	m.want(enosys, nrEpollPwait, ep, buf, 4, 0, buf, 8)
	m.want(einval, nrEpollCreate1, 1)
	m.want(einval, nrEpollCreate, 0)
	m.want(1, nrEpollWait, ep, buf, 1, 0) // what the bad address did not lose
	m.wantReady(ep, map[uint64]uint32{e: in, d: in})

	m.want(0, nrClose, e) // the duplicate keeps the file, and its watches
	if got := m.ready(ep); len(got) != 2 {
		t.Errorf("after a close: %x", got)
	}
	m.want(0, nrClose, d)
	m.wantReady(ep, nil)
}

func TestEpollRunsOutOfItems(t *testing.T) {
	m := bootFiles(t, 1, nil)
	var eps []uint64
	e := uint64(m.call(0, nrEventfd2, 1, 0))
	for n := 0; ; n++ {
		ep := m.epoll()
		eps = append(eps, ep)
		ev := event{in}
		r := m.call(0, nrEpollCtl, ep, epollAdd, e, user(&ev[0]))
		if r == enospc {
			if n != len(items)-1 {
				t.Errorf("%d items, want %d", n, len(items)-1)
			}
			break
		} else if r != 0 {
			t.Fatalf("item %d: %d", n, r)
		}
	}
	m.want(0, nrClose, eps[0])
	m.control(0, eps[len(eps)-1], epollAdd, e, in)
}

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

// TestEpollSeveralWaiters: one event wakes one of the waiters of an edge-triggered
// watch, and as many events as waiters wake all.
func TestEpollSeveralWaiters(t *testing.T) {
	const waiters = 8
	m := bootFiles(t, 1, nil)
	ep := m.epoll()
	fd := make([]uint64, waiters)
	for i := range fd {
		fd[i] = uint64(m.call(0, nrEventfd2, 0, 0))
		m.control(0, ep, epollAdd, fd[i], in|epollEdge)
	}
	got := map[uint32]int{}
	returned := 0
	for range waiters {
		var ev event
		called := false
		m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			if called {
				if c.RAX != 1 {
					m.Errorf("a wait returns %d", int64(c.RAX))
				}
				got[ev[1]]++
				returned++
				set(c, nrExit, 0)
				return true
			}
			called = true
			set(c, nrEpollWait, ep, user(&ev[0]), 1, 1<<32-1)
			return true
		})
	}
	asleep := func() (n int) {
		for t := files[fds[ep].word.Load()>>1].q.head; t != 0; t = thread(t).next {
			n++
		}
		return n
	}
	m.spin(func() bool { return asleep() == waiters && sched.Current(0) == mainThread })
	v, p := words(1)
	v[0] = 1
	for i := range fd {
		if n := m.call(0, nrWrite, fd[i], p, 8); n != 8 && n != blocked {
			t.Fatalf("write: %d", n)
		}
		m.spin(func() bool { return returned == i+1 && sched.Current(0) == mainThread })
		if n := asleep(); n != waiters-1-i {
			t.Errorf("%d asleep after %d events", n, i+1)
		}
	}
	if len(got) != waiters {
		t.Errorf("events were told so often: %v", got)
	}
}

// TestEpollNetpoll does as Go's netpoller: threads write to pipes, one waits for edges
// and reads each pipe until EAGAIN. Every byte must come out.
func TestEpollNetpoll(t *testing.T) {
	const (
		writers = 6
		bytes   = 20_000
	)
	m := bootFiles(t, 3, nil)
	ep := m.epoll()
	var read atomic.Uint64
	var done atomic.Bool
	buf := make([]byte, 512)
	p, n := bytesAt(buf)
	for i := range writers {
		r, w := m.pipe(oNonblock)
		m.control(0, ep, epollAdd, r, in|epollEdge|epollRdHup)
		rnd := rng(uint64(i))
		left, last := uint64(bytes), uint64(0)
		m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			if got := int64(c.RAX); last != 0 && got > 0 {
				left -= uint64(got)
			}
			if left == 0 {
				set(c, nrExit, 0)
				return true
			}
			last = min(left, 1+rnd.Uint64N(n))
			set(c, nrWrite, w, p, last)
			return true
		})
	}
	var evs [4]event
	into := make([]byte, 300)
	q, size := bytesAt(into)
	var pending []uint64
	reading := false
	m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
		got := int64(c.RAX)
		switch {
		case reading && got > 0:
			if read.Add(uint64(got)) == writers*bytes {
				done.Store(true)
			}
		case reading:
			pending = pending[1:]
		default:
			for i := range min(max(got, 0), 4) {
				pending = append(pending, uint64(evs[i][1]))
			}
		}
		if reading = len(pending) != 0; reading {
			set(c, nrRead, pending[0], q, size)
		} else {
			evs = [4]event{}
			set(c, nrEpollPwait, ep, user(&evs[0]), 4, 1<<32-1, 0)
		}
		return true
	})
	m.parallel(&done, 4_000_000)
	if got := read.Load(); got != writers*bytes {
		t.Errorf("%d bytes came out, want %d", got, writers*bytes)
	}
}

// TestEpollTorture changes watches, closes files and epolls, and makes events, all on
// 4 CPUs at once. checkFiles then finds every record free.
func TestEpollTorture(t *testing.T) {
	const cpus = 4
	bootFiles(t, cpus, nil)
	var wg sync.WaitGroup
	for cpu := range cpus {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(cpu), 3))
			one, p := words(1)
			ev := event{in | out | epollEdge*uint32(cpu&1), 9, 9}
			var evs [8]event
			change, harvested := user(&ev[0]), user(&evs[0])
			for range 6000 {
				one[0] = 1
				ep, fd := uint64(3+rnd.IntN(4)), uint64(7+rnd.IntN(8))
				switch rnd.IntN(8) {
				case 0:
					r := sysEpollCreate1(cpu, 0)
					dupTo(cpu, uint64(r), ep, 0)
					sysClose(cpu, uint64(r))
				case 1:
					r := sysEventfd2(cpu, 1, oNonblock)
					dupTo(cpu, uint64(r), fd, 0)
					sysClose(cpu, uint64(r))
				case 2:
					sysClose(cpu, fd)
				case 3:
					sysEpollCtl(cpu, ep, 1+uint64(rnd.IntN(3)), fd, change)
				case 4:
					sysEpollCtl(cpu, ep, epollAdd, fd, change)
				case 5, 6:
					if n, f := fileAt(cpu, fd); n != 0 {
						if rnd.IntN(2) == 0 {
							f.write(cpu, 0, nil, p, 8, false)
						} else {
							f.read(cpu, 0, nil, p, 8, false)
						}
						putFile(cpu, n)
					}
				case 7:
					if n, f := fileAt(cpu, ep); n != 0 {
						if f.kind == kindEpoll {
							f.q.lock(cpu)
							f.harvest(cpu, harvested, 8)
							f.q.unlock()
						}
						putFile(cpu, n)
					}
				}
			}
		})
	}
	wg.Wait()
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

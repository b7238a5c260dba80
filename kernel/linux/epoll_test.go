package linux

import (
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

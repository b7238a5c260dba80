package linux

import (
	"unsafe"

	"pdac/kernel/sched"
)

// Waiting for what an epoll watches: epoll.go has the rules.

// sysEpollWait is epoll_wait and epoll_pwait: the time-out is in ms, negative for
// none. A signal mask is not supported (ENOSYS).
func sysEpollWait(cpu int, t sched.ID, c *sched.Context, sigmask uint64) int64 {
	ms := int32(c.R10)
	if ms < 0 {
		return epollWait(cpu, t, c, sigmask, forever)
	}
	return epollWait(cpu, t, c, sigmask, uint64(ms)*1e6)
}

// sysEpollPwait2 has the time-out as a timespec, or none.
func sysEpollPwait2(cpu int, t sched.ID, c *sched.Context) int64 {
	timeout := uint64(forever)
	if c.R10 != 0 {
		var errno int64
		if timeout, errno = loadTimespec(c.R10); errno != 0 {
			return errno
		}
	}
	return epollWait(cpu, t, c, c.R8, timeout)
}

// maxEvents bounds what one call returns: Linux takes more, but never fills it.
const maxEvents = 1<<31/12 - 1

func epollWait(cpu int, t sched.ID, c *sched.Context, sigmask, timeout uint64) int64 {
	if sigmask != 0 {
		return enosys
	}
	limit := int32(c.RDX)
	if limit <= 0 || limit > maxEvents {
		return einval
	}
	n, ep := fileAt(cpu, c.RDI)
	if n == 0 {
		return ebadf
	}
	if ep.kind != kindEpoll {
		putFile(cpu, n)
		return einval
	}
	deadline := uint64(0)
	if timeout != 0 && timeout != forever {
		deadline = callDeadline(t, now()+timeout)
	}
	ep.q.lock(cpu)
	r := ep.harvest(cpu, c.RSI, uint32(limit))
	if r == 0 && timeout != 0 && (deadline == 0 || now() < deadline) {
		r = sleep(cpu, t, c, &ep.q, waitIn, deadline, again|noRestart|quiet) // unlocks
	} else {
		ep.q.unlock()
	}
	putFile(cpu, n)
	return r
}

// harvest writes up to limit events to user memory at p and returns how many. An
// item goes back to the end of the ready list if it is level-triggered; one whose
// event has passed leaves it. User memory is written under ep.q.lock, so that
// a bad pointer loses no event; notifiers wait for a page fault at the longest.
func (ep *File) harvest(cpu int, p uint64, limit uint32) int64 {
	got := uint32(0)
	for tries := ep.nready; tries != 0 && got < limit; tries-- {
		i := uint32(ep.ready)
		it := &items[i]
		ev := files[it.file].events() & it.events
		if ev != 0 {
			out := [3]uint32{ev, uint32(it.data), uint32(it.data >> 32)}
			if !copyOut(p+uint64(got)*12, unsafe.Pointer(&out), 12) {
				if got == 0 {
					return efault
				}
				break
			}
			got++
		}
		ep.dequeue(i)
		switch {
		case ev == 0:
		case it.events&epollOneshot != 0:
			it.events &= epollFlags // asleep until epoll_ctl wakes it
		case it.events&epollEdge == 0:
			it.queued = true
			ep.ready.add(inReady, i)
			ep.nready++
		}
	}
	if ep.nready != 0 {
		wakeOne(cpu, &ep.q, waitIn, 0)
	}
	return int64(got)
}

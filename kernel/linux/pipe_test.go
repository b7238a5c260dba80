package linux

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
	"testing"

	"pdac/kernel/sched"
)

// pipe makes a pipe and returns its descriptors.
func (m *machine) pipe(flags uint64) (reader, writer uint64) {
	m.Helper()
	var fd [2]int32
	m.want(0, nrPipe2, user(&fd[0]), flags)
	return uint64(fd[0]), uint64(fd[1])
}

func TestPipeNonblocking(t *testing.T) {
	m := bootFiles(t, 1, nil)
	r, w := m.pipe(oNonblock | oCloexec)
	m.want(oNonblock|oRdonly, nrFcntl, r, fGetfl)
	m.want(1, nrFcntl, w, fGetfd)
	b := make([]byte, PipeSize+1)
	for i := range b {
		b[i] = byte(i * 7)
	}
	p, n := bytesAt(b)
	out := make([]byte, PipeSize)
	q, _ := bytesAt(out)
	m.want(eagain, nrRead, r, q, 10)
	m.want(0, nrRead, r, q, 0)
	m.want(0, nrWrite, w, p, 0)
	m.want(ebadf, nrRead, w, q, 10)
	m.want(ebadf, nrWrite, r, p, 10)
	m.want(espipe, nrLseek, r, 0, seekSet)
	m.want(PipeSize, nrWrite, w, p, n)
	m.want(eagain, nrWrite, w, p, 1)
	m.want(1000, nrRead, r, q, 1000)
	m.want(eagain, nrWrite, w, p, 1001) // atomic: all or nothing
	m.want(1000, nrWrite, w, p, PipeBuf+1)
	m.want(efault, nrRead, r, badAddress, 10)
	m.want(PipeSize, nrRead, r, q, n)
	if want := append(bytes.Clone(b[1000:PipeSize]), b[:1000]...); !bytes.Equal(out, want) {
		t.Error("the bytes come out differently")
	}
	m.want(efault, nrWrite, w, badAddress, 10)
	m.want(eagain, nrRead, r, q, 1)
	var left uint32
	m.want(5, nrWrite, w, p, 5)
	m.want(0, nrIoctl, r, fionread, user(&left))
	if left != 5 {
		t.Errorf("FIONREAD says %d", left)
	}
	m.want(PipeSize, nrFcntl, r, fGetpipeSize)
	m.want(0, nrClose, w)
	m.want(5, nrRead, r, q, 10)
	m.want(0, nrRead, r, q, 10)
	m.want(einval, nrPipe2, user(&left), 1)
	m.want(efault, nrPipe2, badAddress, 0)
}

func TestPipeBroken(t *testing.T) {
	m := bootFiles(t, 1, nil)
	r, w := m.pipe(0)
	got := 0
	m.handled = func(cpu int, t sched.ID, sig int, frame *sigFrame) { got = sig }
	m.handle(sigPIPE, 0, 0)
	m.want(0, nrClose, r)
	b := make([]byte, 8)
	p, n := bytesAt(b)
	c := &sched.Get(current()).Ctx
	set(c, nrWrite, w, p, n)
	Syscall(0, current())
	if int64(c.RAX) != epipe {
		t.Errorf("the write gives %d", int64(c.RAX))
	}
	m.step(0)
	if got != sigPIPE {
		t.Errorf("signal %d was handled, want SIGPIPE", got)
	}
}

func TestPipesRunOut(t *testing.T) {
	m := bootFiles(t, 1, nil)
	var fd [2]int32
	n := 0
	for ; m.call(0, nrPipe2, user(&fd[0]), 0) == 0; n++ {
	}
	if n != len(pipes)-1 {
		t.Errorf("%d pipes, want %d", n, len(pipes)-1)
	}
	m.want(enfile, nrPipe2, user(&fd[0]), 0)
	m.want(0, nrClose, 3)
	m.want(0, nrClose, 4)
	m.want(0, nrPipe2, user(&fd[0]), 0)
}

// TestPipeBlocking passes records from several writers through one pipe to several
// readers, on 3 CPUs at once. Every record must arrive whole, and each writer's
// count to its end.
func TestPipeBlocking(t *testing.T) {
	const (
		writers, readers = 4, 3
		records          = 400
		size             = 1000 // not a divisor of the ring's size
	)
	m := bootFiles(t, 3, nil)
	r, w := m.pipe(0)
	var sent, received [writers]atomic.Uint32
	var done atomic.Bool
	var total atomic.Uint32
	for i := range writers {
		rec := make([]byte, size)
		p, n := bytesAt(rec)
		m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			k := sent[i].Load()
			if k > 0 && c.RAX != size {
				m.Errorf("a write gives %d", int64(c.RAX))
			}
			if k == records {
				set(c, nrExit, 0)
				return true
			}
			for j := range rec {
				rec[j] = byte(i)
			}
			binary.LittleEndian.PutUint32(rec, k)
			sent[i].Store(k + 1)
			set(c, nrWrite, w, p, n)
			return true
		})
	}
	for range readers {
		rec := make([]byte, size)
		p, n := bytesAt(rec)
		started := false
		m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			if started {
				if c.RAX != size {
					m.Errorf("a read gives %d", int64(c.RAX))
					done.Store(true)
					return false
				}
				i := rec[4]
				for _, b := range rec[4:] {
					if b != i {
						m.Error("a record is torn")
						break
					}
				}
				received[i].Add(1)
				if total.Add(1) == writers*records {
					done.Store(true)
				}
			}
			started = true
			set(c, nrRead, r, p, n)
			return true
		})
	}
	m.parallel(&done, 3_000_000)
	for i := range received {
		if received[i].Load() != records {
			t.Errorf("%d records of writer %d", received[i].Load(), i)
		}
	}
	// The readers sleep; closing wakes them and they find no descriptor.
	if !t.Failed() {
		m.spin(func() bool { return pipes[files[fds[r].word.Load()>>1].obj].q.head != 0 })
		n := fds[r].word.Load() >> 1
		p := &pipes[files[n].obj]
		sysClose(0, r)
		sysClose(0, w)
		if p.q.head != 0 {
			t.Error("a sleeper is left on a closed pipe")
		}
	}
}

func TestEventfd(t *testing.T) {
	m := bootFiles(t, 1, nil)
	v, p := words(1)
	fd := uint64(m.call(0, nrEventfd2, 5, oNonblock))
	m.want(8, nrRead, fd, p, 8)
	if v[0] != 5 {
		t.Errorf("reads %d", v[0])
	}
	m.want(eagain, nrRead, fd, p, 8)
	m.want(einval, nrRead, fd, p, 7)
	m.want(einval, nrWrite, fd, p, 7)
	v[0] = 1<<64 - 1
	m.want(einval, nrWrite, fd, p, 8)
	v[0] = 1<<64 - 3
	m.want(8, nrWrite, fd, p, 8)
	v[0] = 2
	m.want(eagain, nrWrite, fd, p, 8)
	v[0] = 1
	m.want(8, nrWrite, fd, p, 8)
	m.want(efault, nrRead, fd, badAddress, 8)
	m.want(efault, nrWrite, fd, badAddress, 8)
	m.want(8, nrRead, fd, p, 8)
	if v[0] != 1<<64-2 {
		t.Errorf("reads %#x", v[0])
	}

	sem := uint64(m.call(0, nrEventfd2, 2, efdSemaphore|oNonblock))
	for range 2 {
		m.want(8, nrRead, sem, p, 8)
		if v[0] != 1 {
			t.Errorf("a semaphore reads %d", v[0])
		}
	}
	m.want(eagain, nrRead, sem, p, 8)
	m.want(einval, nrEventfd2, 0, 2)
}

// TestEventfdBlocking: as many units come out of a semaphore as went in, though
// readers and writers sleep in turn.
func TestEventfdBlocking(t *testing.T) {
	const units = 3000
	m := bootFiles(t, 2, nil)
	fd := uint64(m.call(0, nrEventfd2, 0, efdSemaphore))
	var got atomic.Uint32
	var done atomic.Bool
	for range 3 {
		v, p := words(1)
		m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
			if v[0] == 1 && got.Add(1) == units {
				done.Store(true)
			}
			v[0] = 0
			set(c, nrRead, fd, p, 8)
			return true
		})
	}
	v, p := words(1)
	v[0] = 3
	put := 0
	m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool {
		if put += 3; put > units {
			set(c, nrExit, 0)
		} else {
			set(c, nrWrite, fd, p, 8)
		}
		return true
	})
	m.parallel(&done, 3_000_000)
	if n := got.Load(); n != units {
		t.Errorf("%d units came out, want %d", n, units)
	}
}

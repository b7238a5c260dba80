package linux

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/sched"
)

// Pipes: a ring of PipeSize bytes under the lock of its queue. User memory is
// copied with that lock held: a bad pointer then moves nothing, and a write is
// atomic without a buffer in between. Only users of the same pipe wait for it, for
// a copy of 64 KiB and the page faults in it at the longest.
//
// A write of more than PipeBuf bytes ends short where a Linux one would sleep
// in its middle: the call has no stack to sleep on.

const (
	PipeSize = 64 << 10 // bytes, as on Linux
	PipeBuf  = 4096     // a write up to this many bytes is atomic
)

// Pipe is the record of one pipe. Everything is written under q.lock; count, reader
// and writer are read without it to tell what epoll asks.
type Pipe struct {
	q              queue         // readers wait under waitIn, writers under waitOut
	head           uint32        // index of the oldest byte
	count          atomic.Uint32 // bytes in the ring
	reader, writer atomic.Uint32 // open files of the ends, 0: closed
}

var (
	pipes     []Pipe
	pipePool  pool
	pipeData  []byte
	pipeSpace extent
)

func initPipes(c *Files) {
	pipes, pipeData = c.Pipes, c.PipeData
	pipePool.init(unsafe.Pointer(unsafe.SliceData(pipes)), unsafe.Sizeof(Pipe{}), len(pipes), c.PipesNext)
	pipeSpace.init(unsafe.Pointer(unsafe.SliceData(pipeData)), PipeSize, len(pipeData)/PipeSize)
}

func sysPipe2(cpu int, p, flags uint64) int64 {
	if flags&^(oCloexec|oNonblock) != 0 {
		return einval
	}
	reader, writer, errno := newPipe(cpu, uint32(flags&oNonblock))
	if errno != 0 {
		return errno
	}
	fd := [2]int32{}
	r := install(cpu, reader, 0, flags)
	if r < 0 {
		putFile(cpu, reader)
		putFile(cpu, writer)
		return r
	}
	fd[0] = int32(r)
	if r = install(cpu, writer, 0, flags); r < 0 {
		putFile(cpu, writer)
		sysClose(cpu, uint64(fd[0]))
		return r
	}
	fd[1] = int32(r)
	if !copyOut(p, unsafe.Pointer(&fd), 8) {
		sysClose(cpu, uint64(fd[0]))
		sysClose(cpu, uint64(fd[1]))
		return efault
	}
	return 0
}

// newPipe makes a pipe and the open files of its ends.
func newPipe(cpu int, flags uint32) (reader, writer uint32, errno int64) {
	n := pipePool.get(cpu)
	if n == 0 {
		return 0, 0, enfile
	}
	p := &pipes[n]
	p.head = 0
	p.count.Store(0)
	reader = newFile(cpu, kindPipeReader, oRdonly|flags, n)
	writer = newFile(cpu, kindPipeWriter, oWronly|flags, n)
	p.reader.Store(reader)
	p.writer.Store(writer)
	if reader != 0 && writer != 0 && pipeSpace.grow(cpu, n+1) {
		return reader, writer, 0
	}
	if reader != 0 {
		putFile(cpu, reader)
	}
	if writer != 0 {
		putFile(cpu, writer)
	}
	if reader == 0 && writer == 0 {
		pipePool.put(n) // else the last end did it
	}
	return 0, 0, enfile
}

// closePipe takes an end off its pipe, and the pipe away with the second one.
func closePipe(cpu int, f *File) {
	p := &pipes[f.obj]
	p.q.lock(cpu)
	if f.kind == kindPipeReader {
		p.reader.Store(0)
		if w := p.writer.Load(); w != 0 {
			notify(cpu, &files[w], epollOut|epollErr)
		}
	} else {
		p.writer.Store(0)
		if r := p.reader.Load(); r != 0 {
			notify(cpu, &files[r], epollIn|epollHup)
		}
	}
	wakeAll(cpu, &p.q, waitIn, 0)
	wakeAll(cpu, &p.q, waitOut, 0)
	last := p.reader.Load() == 0 && p.writer.Load() == 0
	p.q.unlock()
	if last {
		pipePool.put(f.obj)
	}
}

func readPipe(cpu int, t sched.ID, c *sched.Context, f *File, dst, n uint64, wait bool) int64 {
	if n == 0 {
		return 0
	}
	p := &pipes[f.obj]
	p.q.lock(cpu)
	count := p.count.Load()
	if count == 0 {
		if p.writer.Load() != 0 && wait {
			return sleep(cpu, t, c, &p.q, waitIn, 0, again)
		}
		r := int64(0)
		if p.writer.Load() != 0 {
			r = eagain
		}
		p.q.unlock()
		return r
	}
	m := uint32(min(n, uint64(count)))
	ring := pipeData[f.obj*PipeSize:][:PipeSize]
	first := min(m, PipeSize-p.head) // up to the end of the ring
	if !copyOut(dst, unsafe.Pointer(&ring[p.head]), uint64(first)) ||
		!copyOut(dst+uint64(first), unsafe.Pointer(&ring[0]), uint64(m-first)) {
		p.q.unlock()
		return efault
	}
	p.head = (p.head + m) % PipeSize
	p.count.Store(count - m)
	if count > m {
		wakeOne(cpu, &p.q, waitIn, 0)
	} else {
		p.head = 0 // an empty pipe uses the same cache lines again
	}
	if w := p.writer.Load(); w != 0 {
		wakeAll(cpu, &p.q, waitOut, 0) // each may wait for a different number of bytes
		notify(cpu, &files[w], epollOut)
	}
	p.q.unlock()
	return int64(m)
}

func writePipe(cpu int, t sched.ID, c *sched.Context, f *File, src, n uint64, wait bool) int64 {
	if n == 0 {
		return 0
	}
	p := &pipes[f.obj]
	p.q.lock(cpu)
	reader := p.reader.Load()
	if reader == 0 {
		p.q.unlock()
		raise(cpu, t, sigPIPE, sigInfo{})
		return epipe
	}
	count := p.count.Load()
	room := uint64(PipeSize - count)
	if room < min(n, PipeBuf) && (n <= PipeBuf || room == 0) {
		if wait {
			return sleep(cpu, t, c, &p.q, waitOut, 0, again)
		}
		p.q.unlock()
		return eagain
	}
	m := uint32(min(n, room))
	ring := pipeData[f.obj*PipeSize:][:PipeSize]
	tail := (p.head + count) % PipeSize
	first := min(m, PipeSize-tail)
	if !copyIn(unsafe.Pointer(&ring[tail]), src, uint64(first)) ||
		!copyIn(unsafe.Pointer(&ring[0]), src+uint64(first), uint64(m-first)) {
		p.q.unlock()
		return efault
	}
	p.count.Store(count + m)
	wakeOne(cpu, &p.q, waitIn, 0)
	notify(cpu, &files[reader], epollIn)
	p.q.unlock()
	return int64(m)
}

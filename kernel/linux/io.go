package linux

import (
	"unsafe"

	"pdac/kernel/sched"
)

// Reading and writing open files, by kind.

const (
	maxIO      = 1 << 20 // bytes that one call moves at most, since interrupts are off meanwhile
	maxVectors = 1024    // IOV_MAX
)

func sysRead(cpu int, t sched.ID, c *sched.Context) int64 {
	n, f := fileAt(cpu, c.RDI)
	if n == 0 {
		return ebadf
	}
	r := f.read(cpu, t, c, c.RSI, c.RDX, true)
	putFile(cpu, n)
	return r
}

func sysWrite(cpu int, t sched.ID, c *sched.Context) int64 {
	n, f := fileAt(cpu, c.RDI)
	if n == 0 {
		return ebadf
	}
	r := f.write(cpu, t, c, c.RSI, c.RDX, true)
	putFile(cpu, n)
	return r
}

// read moves up to n bytes to user memory at p. It may put the thread to sleep if
// wait is set; otherwise a sleep is EAGAIN.
func (f *File) read(cpu int, t sched.ID, c *sched.Context, p, n uint64, wait bool) int64 {
	if !f.readable() {
		return ebadf
	}
	if f.nonblocking() {
		wait = false
	}
	n = min(n, maxIO)
	switch f.kind {
	case kindNull:
		return 0
	case kindConsole:
		return readConsole(cpu)
	case kindZero:
		return zerosToUser(p, n)
	case kindRandom:
		return randomToUser(cpu, p, n)
	case kindFile:
		return f.readNext(cpu, p, n)
	case kindMaps:
		return f.readMaps(cpu, p, n)
	case kindDir:
		return eisdir
	case kindPipeReader:
		return readPipe(cpu, t, c, f, p, n, wait)
	case kindEventfd:
		return readEventfd(cpu, t, c, f, p, n, wait)
	}
	return einval
}

// write is the other direction.
func (f *File) write(cpu int, t sched.ID, c *sched.Context, p, n uint64, wait bool) int64 {
	if !f.writable() {
		return ebadf
	}
	if f.nonblocking() {
		wait = false
	}
	n = min(n, maxIO)
	switch f.kind {
	case kindNull, kindZero:
		return int64(n)
	case kindRandom:
		return seedFromUser(p, n)
	case kindConsole:
		return writeConsole(cpu, p, n)
	case kindPipeWriter:
		return writePipe(cpu, t, c, f, p, n, wait)
	case kindEventfd:
		return writeEventfd(cpu, t, c, f, p, n, wait)
	}
	return einval
}

// sysVector is readv and writev: the buffers one after another, until one falls
// short. Only the first may wait, since what was moved must be told. Unlike Linux's,
// a writev to a pipe is one write per buffer.
func sysVector(cpu int, t sched.ID, c *sched.Context, out bool) int64 {
	n, f := fileAt(cpu, c.RDI)
	if n == 0 {
		return ebadf
	}
	r := f.vector(cpu, t, c, c.RSI, c.RDX, out)
	putFile(cpu, n)
	return r
}

func (f *File) vector(cpu int, t sched.ID, c *sched.Context, vec, n uint64, out bool) int64 {
	if n > maxVectors {
		return einval
	}
	done := int64(0)
	for i := range n {
		var v struct{ base, n uint64 }
		r := efault
		if copyIn(unsafe.Pointer(&v), vec+i*16, 16) {
			if out {
				r = f.write(cpu, t, c, v.base, v.n, done == 0)
			} else {
				r = f.read(cpu, t, c, v.base, v.n, done == 0)
			}
		}
		if r < 0 {
			if done != 0 {
				return done
			}
			return r
		}
		done += r
		if uint64(r) < v.n || done >= maxIO {
			break
		}
	}
	return done
}

// sysPread reads at an offset; the file's own position stays.
func sysPread(cpu int, t sched.ID, c *sched.Context) int64 {
	n, f := fileAt(cpu, c.RDI)
	if n == 0 {
		return ebadf
	}
	r := espipe
	switch {
	case int64(c.R10) < 0:
		r = einval
	case f.kind == kindFile:
		r = ebadf
		if f.readable() {
			if r = ask(cpu, FamilyFiles, RightRead); r == 0 {
				r = f.readAt(c.RSI, min(c.RDX, maxIO), c.R10)
			}
		}
	case f.kind <= kindRandom || f.kind == kindDir:
		r = f.read(cpu, t, c, c.RSI, c.RDX, false)
	}
	putFile(cpu, n)
	return r
}

func sysPwrite(cpu int, t sched.ID, c *sched.Context) int64 {
	n, f := fileAt(cpu, c.RDI)
	if n == 0 {
		return ebadf
	}
	r := espipe
	switch {
	case int64(c.R10) < 0:
		r = einval
	case f.kind <= kindRandom || f.kind == kindFile || f.kind == kindDir:
		r = f.write(cpu, t, c, c.RSI, c.RDX, false)
	}
	putFile(cpu, n)
	return r
}

// Starting points of lseek(2).
const (
	seekSet  = 0
	seekCur  = 1
	seekEnd  = 2
	seekData = 3
	seekHole = 4
)

func sysLseek(cpu int, fd, off, whence uint64) int64 {
	n, f := fileAt(cpu, fd)
	if n == 0 {
		return ebadf
	}
	r := f.askRead(cpu) // the end of a file tells its size
	if r == 0 {
		r = f.seek(int64(off), whence)
	}
	putFile(cpu, n)
	return r
}

func (f *File) seek(off int64, whence uint64) int64 {
	size := int64(0)
	switch f.kind {
	case kindNull, kindZero, kindRandom:
		return 0
	case kindFile:
		size = int64(f.size())
	case kindDir:
		if whence > seekCur {
			return einval
		}
	default:
		return espipe
	}
	switch whence {
	case seekSet:
	case seekCur:
		off += int64(f.word.Load())
	case seekEnd:
		off += size
	case seekData, seekHole: // the only hole is behind the end
		if off < 0 || off >= size {
			return enxio
		}
		if whence == seekHole {
			off = size
		}
	default:
		return einval
	}
	if off < 0 {
		return einval
	}
	f.word.Store(uint64(off))
	return off
}

// Requests of ioctl(2).
const (
	tcgets     = 0x5401
	tiocgwinsz = 0x5413
	fionread   = 0x541b
	fionbio    = 0x5421
	fionclex   = 0x5450
	fioclex    = 0x5451
)

func sysIoctl(cpu int, fd, request, arg uint64) int64 {
	n, f := fileAt(cpu, fd)
	if n == 0 {
		return ebadf
	}
	r := f.ioctl(cpu, uint32(fd), request, arg)
	putFile(cpu, n)
	return r
}

func (f *File) ioctl(cpu int, fd uint32, request, arg uint64) int64 {
	switch request {
	case fionclex:
		return setCloexec(cpu, fd, 0)
	case fioclex:
		return setCloexec(cpu, fd, 1)
	case fionbio:
		on, ok := load32(arg)
		if !ok {
			return efault
		}
		if on != 0 {
			on = oNonblock
		}
		f.setFlags(oNonblock, on)
		return 0
	case fionread:
		var left uint32
		switch f.kind {
		case kindFile:
			if r := ask(cpu, FamilyFiles, RightRead); r != 0 {
				return r
			}
			left = uint32(f.size() - min(f.size(), f.word.Load()))
		case kindPipeReader, kindPipeWriter:
			left = uint32(pipes[f.obj].count.Load())
		default:
			return enotty
		}
		if !store32(arg, left) {
			return efault
		}
		return 0
	case tcgets, tiocgwinsz:
		if f.kind == kindConsole {
			return consoleIoctl(request, arg)
		}
	}
	return enotty
}

// sysFsync has nothing to write back.
func sysFsync(cpu int, fd uint64) int64 {
	n, f := fileAt(cpu, fd)
	if n == 0 {
		return ebadf
	}
	r := einval
	if f.kind == kindFile || f.kind == kindDir {
		r = 0
	}
	putFile(cpu, n)
	return r
}

// zerosToUser is a read of /dev/zero.
func zerosToUser(p, n uint64) int64 {
	whole := n &^ 7
	var zero uint64
	if !zeroUser(p, whole) || !copyOut(p+whole, unsafe.Pointer(&zero), n-whole) {
		return efault
	}
	return int64(n)
}

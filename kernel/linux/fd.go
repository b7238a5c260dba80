package linux

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"pdac/kernel/lockfree"
)

// Descriptors and open files.
//
// A descriptor names an open file; several may name the same (dup). Both lie in
// type-stable arrays. Looking a descriptor up takes no lock: load its word, take
// a reference unless the count is 0, load the word again. If it still names
// the same file, the reference was taken while the descriptor named it (the
// second load is the linearization point): a record that was closed and reused
// in between is then, whatever its past, the file that the descriptor names.
// Otherwise give the reference back and start over; lock-free, since each round
// means that another CPU closed or replaced the descriptor.
//
// Writers of the table hold fdLock, for a search of the bitmap at the longest, one
// word per 64 descriptors from the lowest free one, and a step of growth.
//
// No reference is held by a thread that sleeps, which would need a stack to give
// it back from: it runs its call again, and finds a closed descriptor closed.

// Descriptor is one slot of the descriptor table: number of the open file << 1 |
// close-on-exec, or 0. Written under fdLock, read without.
type Descriptor struct {
	word atomic.Uint32
}

var (
	fdLock  lockfree.SpinLock
	fds     []Descriptor
	fdUsed  []uint64 // a bit per descriptor in use; under fdLock
	fdLow   uint32   // no word of fdUsed below this one has a free bit; under fdLock
	fdSpace extent
	fdBits  extent
)

func initTable(c *Files) {
	fds, fdUsed, fdLow = c.Descriptors, c.Used, 0
	fdSpace.init(unsafe.Pointer(unsafe.SliceData(fds)), unsafe.Sizeof(Descriptor{}), len(fds))
	fdBits.init(unsafe.Pointer(unsafe.SliceData(fdUsed)), unsafe.Sizeof(fdUsed[0]), len(fdUsed))
}

// fileAt returns the open file of a descriptor with a reference for the caller to
// put, or number 0.
func fileAt(cpu int, fd uint64) (uint32, *File) {
	i := uint32(fd) // Linux too looks at the low half only
	for i < fdSpace.ready.Load() {
		w := fds[i].word.Load()
		if w == 0 {
			break
		}
		n := w >> 1
		if f := &files[n]; f.hold() {
			if fds[i].word.Load()>>1 == n {
				return n, f
			}
			putFile(cpu, n)
		}
	}
	return 0, nil
}

// install gives file n the lowest free descriptor from lowest up, and with it
// the caller's reference. EMFILE: there is none.
func install(cpu int, n, lowest uint32, fdFlags uint64) int64 {
	spinOn(cpu, &fdLock)
	fd := reserve(cpu, lowest)
	if fd >= 0 {
		fds[fd].word.Store(n<<1 | closeOnExec(fdFlags))
	}
	fdLock.Unlock()
	return fd
}

// reserve marks the lowest free descriptor from lowest up as used. Preconditions:
// fdLock is held.
func reserve(cpu int, lowest uint32) int64 {
	for w := max(lowest/64, fdLow); w < uint32(len(fdUsed)); w++ {
		if !fdBits.grow(cpu, w+1) || !fdSpace.grow(cpu, (w+1)*64) {
			return enomem
		}
		free := ^fdUsed[w]
		if free == 0 && w == fdLow {
			fdLow++
		}
		if w == lowest/64 {
			free &= ^uint64(0) << (lowest % 64)
		}
		if free != 0 {
			fdUsed[w] |= free & -free
			return int64(w)*64 + int64(bits.TrailingZeros64(free))
		}
	}
	return emfile
}

func closeOnExec(flags uint64) uint32 {
	if flags&oCloexec != 0 {
		return 1
	}
	return 0
}

func sysClose(cpu int, fd uint64) int64 {
	i := uint32(fd)
	if i >= fdSpace.ready.Load() {
		return ebadf
	}
	spinOn(cpu, &fdLock)
	w := fds[i].word.Swap(0)
	if w != 0 {
		fdUsed[i/64] &^= 1 << (i % 64)
		fdLow = min(fdLow, i/64)
	}
	fdLock.Unlock()
	if w == 0 {
		return ebadf
	}
	putFile(cpu, w>>1)
	return 0
}

// dupFrom duplicates fd to the lowest free descriptor from lowest up.
func dupFrom(cpu int, fd, lowest, fdFlags uint64) int64 {
	n, _ := fileAt(cpu, fd)
	if n == 0 {
		return ebadf
	}
	if lowest >= uint64(len(fds)) {
		putFile(cpu, n)
		return einval
	}
	r := install(cpu, n, uint32(lowest), fdFlags)
	if r < 0 {
		putFile(cpu, n)
	}
	return r
}

// dupTo makes descriptor to name the file of fd, in one step if it was open.
func dupTo(cpu int, fd, to, fdFlags uint64) int64 {
	i := uint32(to)
	if i >= uint32(len(fds)) {
		return ebadf
	}
	n, _ := fileAt(cpu, fd)
	if n == 0 {
		return ebadf
	}
	if !fdBits.grow(cpu, i/64+1) || !fdSpace.grow(cpu, (i/64+1)*64) {
		putFile(cpu, n)
		return enomem
	}
	spinOn(cpu, &fdLock)
	old := fds[i].word.Swap(n<<1 | closeOnExec(fdFlags))
	fdUsed[i/64] |= 1 << (i % 64)
	fdLock.Unlock()
	if old != 0 {
		putFile(cpu, old>>1)
	}
	return int64(i)
}

func sysDup2(cpu int, fd, to uint64) int64 {
	if uint32(fd) != uint32(to) {
		return dupTo(cpu, fd, to, 0)
	}
	n, _ := fileAt(cpu, fd)
	if n == 0 {
		return ebadf
	}
	putFile(cpu, n)
	return int64(uint32(fd))
}

func sysDup3(cpu int, fd, to, flags uint64) int64 {
	if uint32(fd) == uint32(to) || flags&^oCloexec != 0 {
		return einval
	}
	return dupTo(cpu, fd, to, flags)
}

// Commands of fcntl(2).
const (
	fDupfd        = 0
	fGetfd        = 1
	fSetfd        = 2
	fGetfl        = 3
	fSetfl        = 4
	fDupfdCloexec = 1030
	fGetpipeSize  = 1032
)

func sysFcntl(cpu int, fd, cmd, arg uint64) int64 {
	switch cmd {
	case fDupfd:
		return dupFrom(cpu, fd, arg, 0)
	case fDupfdCloexec:
		return dupFrom(cpu, fd, arg, oCloexec)
	}
	n, f := fileAt(cpu, fd)
	if n == 0 {
		return ebadf
	}
	r := f.control(cpu, uint32(fd), cmd, arg)
	putFile(cpu, n)
	return r
}

func (f *File) control(cpu int, fd uint32, cmd, arg uint64) int64 {
	switch cmd {
	case fGetfd:
		return int64(fds[fd].word.Load() & 1)
	case fSetfd:
		return setCloexec(cpu, fd, uint32(arg&1))
	case fGetfl:
		return int64(f.flags.Load())
	case fSetfl:
		f.setFlags(oSettable, uint32(arg))
		return 0
	case fGetpipeSize:
		if f.kind == kindPipeReader || f.kind == kindPipeWriter {
			return PipeSize
		}
		return ebadf
	}
	return einval
}

func setCloexec(cpu int, fd, on uint32) int64 {
	spinOn(cpu, &fdLock)
	w := fds[fd].word.Load()
	if w != 0 {
		fds[fd].word.Store(w&^1 | on)
	}
	fdLock.Unlock()
	if w == 0 {
		return ebadf
	}
	return 0
}

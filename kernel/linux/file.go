package linux

import (
	"sync/atomic"
	"unsafe"
)

// Opening and reading the files of the tree. It is read-only: whatever would
// change it is EROFS.

// cwd is the entry of the current directory.
var cwd atomic.Uint32

const (
	atFdcwd                  = -100
	fdcwd             uint64 = 1<<64 - 100 // the same as a register
	atSymlinkNofollow        = 0x100
	atEaccess                = 0x200
	atNoAutomount            = 0x800
	atEmptyPath              = 0x1000
)

// userPath copies the path at p into the CPU's bounce buffer, without its NUL. It
// fails with EFAULT or ENAMETOOLONG.
func userPath(cpu int, p uint64) (path []byte, errno int64) {
	buf := &perCPU[cpu].bounce
	const step = 256 // aligned, a step crosses no page: nothing behind the NUL can fault
	for n := uint64(0); n < maxPath; {
		size := min(step-(p+n)%step, maxPath-n)
		if !copyIn(unsafe.Pointer(&buf[n]), p+n, size) {
			return nil, efault
		}
		for end := n + size; n < end; n++ {
			if buf[n] == 0 {
				return buf[:n], 0
			}
		}
	}
	return nil, enametoolong
}

// lookup finds the entry of the path at p, relative to the directory of dirfd. An
// empty path is ENOENT. Entry 0: only the last component is missing.
func lookup(cpu int, dirfd, p uint64, follow bool) (entry uint32, errno int64) {
	path, errno := userPath(cpu, p)
	if errno != 0 {
		return 0, errno
	}
	dir, errno := startAt(cpu, dirfd, path)
	if errno != 0 {
		return 0, errno
	}
	return tree.walk(dir, path, follow)
}

// lookupExisting is lookup where a missing file is ENOENT.
func lookupExisting(cpu int, dirfd, p uint64, follow bool) (entry uint32, errno int64) {
	entry, errno = lookup(cpu, dirfd, p, follow)
	if errno == 0 && entry == 0 {
		errno = enoent
	}
	return entry, errno
}

// startAt is the directory that path starts from.
func startAt(cpu int, dirfd uint64, path []byte) (dir uint32, errno int64) {
	if len(path) > 0 && path[0] == '/' {
		return rootEntry, 0
	}
	if int32(dirfd) == atFdcwd {
		return cwd.Load(), 0
	}
	n, f := fileAt(cpu, dirfd)
	if n == 0 {
		return 0, ebadf
	}
	dir, errno = f.obj, 0
	if f.kind != kindDir {
		errno = enotdir
	}
	putFile(cpu, n)
	return dir, errno
}

// openRights are what opening with those flags needs.
func openRights(flags uint64) (r Rights) {
	if flags&oAccess != oWronly {
		r = RightRead
	}
	if flags&oAccess != oRdonly || flags&(oCreat|oTrunc) != 0 {
		r |= RightWrite
	}
	return r
}

func sysOpenat(cpu int, dirfd, p, flags uint64) int64 {
	if r := ask(cpu, FamilyFiles, openRights(flags)); r != 0 {
		return r
	}
	exclusive := flags&(oCreat|oExcl) == oCreat|oExcl
	e, errno := lookup(cpu, dirfd, p, flags&oNofollow == 0 && !exclusive)
	if errno != 0 {
		return errno
	}
	if e == 0 {
		if flags&oCreat != 0 {
			return erofs
		}
		return enoent
	}
	if exclusive {
		return eexist
	}
	write := flags&oAccess != oRdonly || flags&oTrunc != 0
	in := &tree.inodes[tree.entries[e].inode]
	k := kindFile
	switch in.mode & modeType {
	case modeLink:
		return eloop // not followed
	case modeDir:
		if write || flags&oCreat != 0 {
			return eisdir
		}
		k = kindDir
	case modeRegular:
		if write {
			return erofs
		}
		if in.rdev == devMaps {
			k = kindMaps
		}
	case modeChar:
		switch in.rdev {
		case devNull:
			k = kindNull
		case devZero:
			k = kindZero
		case devRandom, devUrandom:
			k = kindRandom
		case devConsole:
			k = kindConsole
		default:
			return enxio
		}
	default:
		return enxio
	}
	if flags&oDirectory != 0 && k != kindDir {
		return enotdir
	}
	return openFD(cpu, k, uint32(flags&(oAccess|oSettable|oDirectory|oNofollow))|oLargefile, e, flags)
}

// size is the length of a regular file in bytes.
func (f *File) size() uint64 { return uint64(tree.inodes[tree.entries[f.obj].inode].data.n) }

// readAt copies up to n bytes at off to user memory at p.
func (f *File) readAt(p, n, off uint64) int64 {
	data := tree.inodes[tree.entries[f.obj].inode].data.bytes()
	if off >= uint64(len(data)) {
		return 0
	}
	data = data[off:]
	n = min(n, uint64(len(data)))
	if !copyOut(p, unsafe.Pointer(unsafe.SliceData(data)), n) {
		return efault
	}
	return int64(n)
}

// readNext reads at the position and moves it. The range is claimed before the
// copy, so that concurrent readers get disjoint parts; a copy that fails gives
// it back if nobody moved on.
func (f *File) readNext(cpu int, p, n uint64) int64 {
	if r := ask(cpu, FamilyFiles, RightRead); r != 0 {
		return r
	}
	size := f.size()
	for {
		pos := f.word.Load()
		if pos >= size {
			return 0
		}
		n := min(n, size-pos)
		if !f.word.CompareAndSwap(pos, pos+n) {
			continue
		}
		r := f.readAt(p, n, pos)
		if r < 0 {
			f.word.CompareAndSwap(pos+n, pos)
		}
		return r
	}
}

func sysChdir(cpu int, p uint64) int64 {
	if r := ask(cpu, FamilyFiles, RightWrite); r != 0 {
		return r
	}
	e, errno := lookupExisting(cpu, fdcwd, p, true)
	if errno != 0 {
		return errno
	}
	return changeDir(e)
}

func sysFchdir(cpu int, fd uint64) int64 {
	n, f := fileAt(cpu, fd)
	if n == 0 {
		return ebadf
	}
	r := ask(cpu, FamilyFiles, RightWrite)
	switch {
	case r != 0:
	case f.kind == kindDir:
		r = changeDir(f.obj)
	default:
		r = enotdir
	}
	putFile(cpu, n)
	return r
}

func changeDir(e uint32) int64 {
	if !tree.isDir(e) {
		return enotdir
	}
	cwd.Store(e)
	return 0
}

func sysGetcwd(cpu int, p, n uint64) int64 {
	if r := ask(cpu, FamilyFiles, RightRead); r != 0 {
		return r
	}
	buf := &perCPU[cpu].bounce
	buf[maxPath-1] = 0
	path := tree.pathOf(cwd.Load(), buf[:maxPath-1])
	if len(path) == 0 {
		return enametoolong
	}
	size := uint64(len(path)) + 1
	if size > n {
		return erange
	}
	if !copyOut(p, unsafe.Pointer(&path[0]), size) {
		return efault
	}
	return int64(size)
}

func sysReadlinkat(cpu int, dirfd, p, buf, n uint64) int64 {
	if int32(n) <= 0 {
		return einval
	}
	if r := ask(cpu, FamilyFiles, RightRead); r != 0 {
		return r
	}
	e, errno := lookupExisting(cpu, dirfd, p, false)
	if errno != 0 {
		return errno
	}
	if tree.modeOf(e)&modeType != modeLink {
		return einval
	}
	target := tree.target(e)
	n = min(uint64(uint32(n)), uint64(len(target)))
	if !copyOut(buf, unsafe.Pointer(&target[0]), n) {
		return efault
	}
	return int64(n)
}

// Modes of access(2).
const (
	xOK = 1
	wOK = 2
	rOK = 4
)

// accessRights are what the answer to that mode stands for: to look is to read.
func accessRights(mode uint64) Rights {
	r := RightRead
	if mode&wOK != 0 {
		r |= RightWrite
	}
	if mode&xOK != 0 {
		r |= RightExecute
	}
	return r
}

// sysFaccessat answers for the one user there is, root: all may be read, what has
// an execute bit may be executed, and of a read-only tree devices may be written.
func sysFaccessat(cpu int, dirfd, p, mode, flags uint64) int64 {
	if mode&^(xOK|wOK|rOK) != 0 || flags&^(atEaccess|atSymlinkNofollow) != 0 {
		return einval
	}
	if r := ask(cpu, FamilyFiles, accessRights(mode)); r != 0 {
		return r
	}
	e, errno := lookupExisting(cpu, dirfd, p, flags&atSymlinkNofollow == 0)
	if errno != 0 {
		return errno
	}
	m := tree.modeOf(e)
	switch isDevice := m&modeType == modeChar; {
	case mode&wOK != 0 && !isDevice:
		return erofs
	case mode&xOK != 0 && m&0o111 == 0:
		return eacces
	}
	return 0
}

// sysGetdents64 fills user memory with records of {ino, offset of the next, size
// of this, type, name}, as many as fit into it and the bounce buffer. The position
// of a directory is 0 for ".", 1 for "..", 2 + the entry of a child, or dirEnd.
func sysGetdents64(cpu int, fd, p, n uint64) int64 {
	num, f := fileAt(cpu, fd)
	if num == 0 {
		return ebadf
	}
	r := enotdir
	if f.kind == kindDir {
		if r = ask(cpu, FamilyFiles, RightRead); r == 0 {
			r = f.list(cpu, p, uint64(uint32(n)))
		}
	}
	putFile(cpu, num)
	return r
}

const (
	dirEnd     = 1<<63 - 1
	direntHead = 19 // bytes before the name
)

func (f *File) list(cpu int, p, n uint64) int64 {
	buf := &perCPU[cpu].bounce
	dir := &tree.entries[f.obj]
	for {
		start := f.word.Load()
		pos, used := start, uint64(0)
		for pos != dirEnd {
			name, e, next := dotDot[:1], f.obj, uint64(1)
			switch {
			case pos == 0:
			case pos == 1:
				name, e, next = dotDot, dir.parent, cookie(dir.first)
			case pos-2 < uint64(tree.nEntry) && tree.entries[pos-2].parent == f.obj:
				e = uint32(pos - 2)
				name, next = tree.entries[e].name.bytes(), cookie(tree.entries[e].sibling)
			default:
				return 0 // a position that this directory never gave
			}
			size := (direntHead + uint64(len(name)) + 1 + 7) &^ 7
			if used+size > min(n, uint64(len(buf))) {
				break
			}
			d := buf[used : used+size]
			clear(d)
			in := tree.entries[e].inode
			put64(d, uint64(in))
			put64(d[8:], next)
			d[16], d[17] = byte(size), byte(size>>8)
			d[18] = byte(tree.inodes[in].mode >> 12) // DT_ numbers are the S_IF ones
			copy(d[direntHead:], name)
			used, pos = used+size, next
		}
		if used == 0 {
			if pos != dirEnd {
				return einval // no room for one
			}
			return 0
		}
		if !copyOut(p, unsafe.Pointer(&buf[0]), used) {
			return efault
		}
		if f.word.CompareAndSwap(start, pos) {
			return int64(used)
		}
	}
}

var dotDot = []byte{'.', '.'}

// cookie is the position of the child e.
func cookie(e uint32) uint64 {
	if e == 0 {
		return dirEnd
	}
	return uint64(e) + 2
}

func put64(b []byte, v uint64) {
	for i := range 8 {
		b[i] = byte(v >> (8 * i))
	}
}

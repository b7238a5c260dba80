package linux

import "unsafe"

// stat is struct stat of x86-64 (asm/stat.h), 144 bytes.
type stat struct {
	dev, ino, nlink     uint64
	mode, uid, gid, _   uint32
	rdev                uint64
	size, blkSize       int64
	blocks              int64 // of 512 bytes
	atime, mtime, ctime struct{ sec, nsec int64 }
	_                   [3]int64
}

// Device numbers of the tree and of what has no name.
const (
	treeDevice      = 1
	anonymousDevice = 2
)

func (s *stat) ofEntry(e uint32) {
	number := tree.entries[e].inode
	in := &tree.inodes[number]
	*s = stat{
		dev: treeDevice, ino: uint64(number), nlink: uint64(in.nlink), mode: in.mode, uid: in.uid, gid: in.gid,
		rdev: in.rdev, size: int64(in.data.n), blkSize: 4096, blocks: (int64(in.data.n) + 511) / 512,
	}
	s.atime.sec, s.mtime.sec, s.ctime.sec = int64(in.mtime), int64(in.mtime), int64(in.mtime)
}

// ofFile is for open file number n.
func (s *stat) ofFile(n uint32, f *File) {
	if f.obj != 0 && (f.kind <= kindDir) {
		s.ofEntry(f.obj)
		return
	}
	*s = stat{dev: anonymousDevice, ino: uint64(n), nlink: 1, mode: 0o600, blkSize: 4096}
	switch f.kind {
	case kindConsole:
		s.mode, s.rdev = modeChar|0o620, devConsole
	case kindPipeReader, kindPipeWriter: // both ends are one file
		s.mode, s.ino = modeFIFO|0o600, 1<<32|uint64(f.obj)
	}
}

func (s *stat) toUser(p uint64) int64 {
	if !copyOut(p, unsafe.Pointer(s), uint64(unsafe.Sizeof(*s))) {
		return efault
	}
	return 0
}

func sysFstat(cpu int, fd, p uint64) int64 {
	n, f := fileAt(cpu, fd)
	if n == 0 {
		return ebadf
	}
	var s stat
	r := f.askRead(cpu)
	s.ofFile(n, f)
	putFile(cpu, n)
	if r != 0 {
		return r
	}
	return s.toUser(p)
}

func sysNewfstatat(cpu int, dirfd, path, p, flags uint64) int64 {
	if flags&^(atSymlinkNofollow|atNoAutomount|atEmptyPath) != 0 {
		return einval
	}
	if flags&atEmptyPath != 0 && int32(dirfd) != atFdcwd {
		name, errno := userPath(cpu, path)
		if errno == 0 && len(name) == 0 {
			return sysFstat(cpu, dirfd, p)
		}
	}
	if r := ask(cpu, FamilyFiles, RightRead); r != 0 {
		return r
	}
	e, errno := lookupExisting(cpu, dirfd, path, flags&atSymlinkNofollow == 0)
	if errno != 0 {
		return errno
	}
	var s stat
	s.ofEntry(e)
	return s.toUser(p)
}

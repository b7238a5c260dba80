package linux

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

func TestOpenFlags(t *testing.T) {
	m := bootFiles(t, 1, pathArchive(t))
	for _, c := range []struct {
		path  string
		flags uint64
		want  int64
	}{
		{"/top", oWronly, erofs}, {"/top", oRdwr, erofs}, {"/top", oTrunc, erofs}, {"/top", oCreat, 3},
		{"/top", oCreat | oExcl, eexist}, {"/loop", oCreat | oExcl, eexist}, {"/new", oCreat | oWronly, erofs}, {"/new", 0, enoent},
		{"/nope/new", oCreat | oWronly, enoent}, {"/d", oWronly, eisdir}, {"/d", oCreat, eisdir}, {"/top", oDirectory, enotdir},
		{"/d", oDirectory, 3}, {"/rel", oNofollow, eloop}, {"/rel", oNofollow | oDirectory, eloop}, {"/rel", oDirectory, 3},
		{"/dev/null", oWronly | oTrunc, 3}, {"/dev/null", oRdwr | oDirectory, enotdir}, {"", 0, enoent}, {"/loop", 0, eloop},
		{strings.Repeat("/", 4095), 0, 3}, {strings.Repeat("/", 4096), 0, enametoolong},
	} {
		if got := m.call(0, nrOpenat, at, cstring(c.path), c.flags); got != c.want {
			t.Errorf("open(%.20q, %#x) = %d, want %d", c.path, c.flags, got, c.want)
		} else if got >= 0 {
			m.want(0, nrClose, uint64(got))
		}
	}
	m.want(efault, nrOpenat, at, badAddress, 0)
	m.want(ebadf, nrOpenat, 99, cstring("top"), 0)
	m.want(enotdir, nrOpenat, 0, cstring("top"), 0)
	d := m.open("/d")
	fd := uint64(m.call(0, nrOpenat, d, cstring("e/f"), 0))
	if got := m.readAll(fd); string(got) != "file" {
		t.Errorf("e/f in /d reads %q", got)
	}
	m.want(int64(oLargefile), nrFcntl, fd, fGetfl)
	m.want(erofs, nrMkdirat, at, cstring("/x"), 0o755)
	m.want(erofs, nrUnlinkat, at, cstring("/top"), 0)
}

func TestFileReadAndSeek(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 50)
	m := bootFiles(t, 1, archiveOf(t, []entryOf{{name: "f", data: string(content)}}))
	fd := m.open("f")
	if got := m.readAll(fd); !bytes.Equal(got, content) {
		t.Errorf("reads %d bytes, not the content", len(got))
	}
	b := make([]byte, 8)
	p, n := bytesAt(b)
	pread := func(off uint64, want string) {
		t.Helper()
		clear(b)
		m.want(int64(len(want)), nrPread64, fd, p, n, off)
		if string(b[:len(want)]) != want {
			t.Errorf("at %d: %q, want %q", off, b, want)
		}
	}
	pread(13, "34567890")
	pread(496, "6789")
	pread(500, "")
	pread(1<<62, "")
	m.want(einval, nrPread64, fd, p, n, 1<<63)
	m.want(500, nrLseek, fd, 0, seekCur)
	m.want(490, nrLseek, fd, 1<<64-10, seekEnd)
	m.want(8, nrRead, fd, p, n)
	m.want(495, nrLseek, fd, 1<<64-3, seekCur)
	m.want(efault, nrRead, fd, badAddress, 5)
	m.want(495, nrLseek, fd, 0, seekCur) // nothing was consumed
	m.want(5, nrRead, fd, p, n)
	m.want(600, nrLseek, fd, 600, seekSet)
	m.want(0, nrRead, fd, p, n)
	m.want(einval, nrLseek, fd, 1<<64-1, seekSet)
	m.want(einval, nrLseek, fd, 0, 9)
	m.want(100, nrLseek, fd, 100, seekData)
	m.want(500, nrLseek, fd, 100, seekHole)
	m.want(enxio, nrLseek, fd, 500, seekData)
	m.want(espipe, nrLseek, 1, 0, seekCur)
	m.want(ebadf, nrPwrite64, fd, p, n, 0)
	m.want(espipe, nrPread64, 1, p, n, 0)
	m.want(0, nrFsync, fd)

	// Vectors: three buffers, the last one beyond the end.
	m.want(490, nrLseek, fd, 490, seekSet)
	var bufs [3][4]byte
	var vec [6]uint64
	for i := range bufs {
		vec[2*i], vec[2*i+1] = user(&bufs[i][0]), 4
	}
	m.want(10, nrReadv, fd, user(&vec[0]), 3)
	if got := fmt.Sprintf("%s%s%s", bufs[0], bufs[1], bufs[2]); got != "0123456789\x00\x00" {
		t.Errorf("readv gives %q", got)
	}
	m.want(einval, nrReadv, fd, user(&vec[0]), maxVectors+1)
	m.want(efault, nrReadv, fd, badAddress, 1)
	vec[2] = badAddress
	m.want(0, nrLseek, fd, 0, seekSet)
	m.want(4, nrReadv, fd, user(&vec[0]), 3)
}

// TestFileConcurrentReaders: readers that share a position get every record of 4 bytes
// once.
func TestFileConcurrentReaders(t *testing.T) {
	const cpus, records = 4, 20_000
	var content []byte
	for i := range uint32(records) {
		content = binary.LittleEndian.AppendUint32(content, i)
	}
	m := bootFiles(t, cpus, archiveOf(t, []entryOf{{name: "f", data: string(content)}}))
	fd := m.open("/f")
	var seen [records]atomic.Uint32
	var wg sync.WaitGroup
	for cpu := range cpus {
		wg.Go(func() {
			b := make([]byte, 64)
			p, _ := bytesAt(b)
			n, f := fileAt(cpu, fd)
			for size := uint64(4); ; size = size%64 + 4 {
				r := f.readNext(cpu, p, size)
				if r == 0 {
					break
				}
				for at := int64(0); at < r; at += 4 {
					seen[binary.LittleEndian.Uint32(b[at:])].Add(1)
				}
			}
			putFile(cpu, n)
		})
	}
	wg.Wait()
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Fatalf("record %d was read %d times", i, n)
		}
	}
}

func TestDevices(t *testing.T) {
	m := bootFiles(t, 1, nil)
	b := bytes.Repeat([]byte{1}, 101)
	p, n := bytesAt(b)
	null, zero, random := m.open("/dev/null"), m.open("/dev/zero"), m.open("/dev/urandom")
	m.want(0, nrRead, null, p, n)
	m.want(ebadf, nrWrite, null, p, n)
	m.want(0, nrLseek, null, 5, seekEnd)
	m.want(int64(n), nrRead, zero, p, n)
	if !bytes.Equal(b, make([]byte, 101)) {
		t.Error("/dev/zero reads something else")
	}
	m.want(int64(n), nrRead, random, p, n)
	if distinct := len(slices.Compact(slices.Sorted(slices.Values(b)))); distinct < 40 {
		t.Errorf("/dev/urandom gives %d distinct values of 101", distinct)
	}
	m.want(efault, nrRead, zero, badAddress, 16)
	if got := m.readAll(m.open("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")); string(got) != "2097152\n" {
		t.Errorf("hpage_pmd_size is %q", got)
	}
}

func TestStat(t *testing.T) {
	m := bootFiles(t, 1, pathArchive(t))
	if size := unsafe.Sizeof(stat{}); size != 144 {
		t.Fatalf("struct stat has %d bytes", size)
	}
	var s stat
	p := user(&s)
	m.want(0, nrNewfstatat, at, cstring("/rel/up"), p, 0)
	if s.mode != modeRegular|0o644 || s.size != 3 || s.uid != 7 || s.gid != 8 || s.nlink != 1 || s.mtime.sec != 1234 || s.blocks != 1 {
		t.Errorf("top: %+v", s)
	}
	ino := s.ino
	m.want(0, nrFstat, m.open("/top"), p)
	if s.ino != ino {
		t.Error("fstat and stat differ in the inode")
	}
	m.want(0, nrNewfstatat, at, cstring("/rel/up"), p, atSymlinkNofollow)
	if s.mode != modeLink|0o777 || s.size != 6 {
		t.Errorf("d/up: %+v", s)
	}
	m.want(0, nrNewfstatat, m.open("/top"), cstring(""), p, atEmptyPath)
	if s.ino != ino {
		t.Error("the empty path is not the descriptor's file")
	}
	m.want(0, nrStat, cstring("/dev/null"), p)
	if s.mode != modeChar|0o666 || s.rdev != 0x103 {
		t.Errorf("null: %+v", s)
	}
	m.want(0, nrFstat, 1, p)
	if s.mode != modeChar|0o620 || s.rdev != 0x501 {
		t.Errorf("console: %+v", s)
	}
	m.want(enoent, nrNewfstatat, at, cstring(""), p, 0)
	m.want(enoent, nrNewfstatat, at, cstring("/x"), p, 0)
	m.want(einval, nrNewfstatat, at, cstring("/top"), p, 1)
	m.want(efault, nrNewfstatat, at, cstring("/top"), badAddress, 0)
	m.want(efault, nrFstat, 1, badAddress)
	m.want(ebadf, nrFstat, 77, p)

	m.want(0, nrAccess, cstring("/top"), rOK)
	m.want(eacces, nrAccess, cstring("/top"), xOK)
	m.want(0, nrAccess, cstring("/run"), xOK|rOK)
	m.want(0, nrFaccessat, at, cstring("/d"), xOK)
	m.want(erofs, nrFaccessat2, at, cstring("/d"), wOK, atEaccess)
	m.want(0, nrAccess, cstring("/dev/null"), wOK)
	m.want(enoent, nrAccess, cstring("/dead"), 0)
	m.want(0, nrFaccessat2, at, cstring("/dead"), 0, atSymlinkNofollow)
	m.want(einval, nrAccess, cstring("/top"), 8)
}

func TestWorkingDirectoryAndLinks(t *testing.T) {
	m := bootFiles(t, 1, pathArchive(t))
	b := make([]byte, 64)
	p, n := bytesAt(b)
	cwdIs := func(want string) {
		t.Helper()
		m.want(int64(len(want)+1), nrGetcwd, p, n)
		if got := string(b[:len(want)+1]); got != want+"\x00" {
			t.Errorf("in %q, want %q", got, want)
		}
	}
	cwdIs("/")
	m.want(0, nrChdir, cstring("abs"))
	cwdIs("/d/e")
	if got := m.readAll(m.open("f")); string(got) != "file" {
		t.Errorf("f reads %q", got)
	}
	d := m.open("..")
	m.want(0, nrFchdir, d)
	cwdIs("/d")
	m.want(enotdir, nrChdir, cstring("up"))
	m.want(enoent, nrChdir, cstring("nope"))
	m.want(enotdir, nrFchdir, 1)
	m.want(erange, nrGetcwd, p, 2)
	m.want(efault, nrGetcwd, badAddress, n)

	m.want(6, nrReadlinkat, at, cstring("/d/up"), p, n)
	if string(b[:6]) != "../top" {
		t.Errorf("d/up leads to %q", b[:6])
	}
	m.want(3, nrReadlink, cstring("/d/up"), p, 3)
	m.want(einval, nrReadlink, cstring("/top"), p, n)
	m.want(einval, nrReadlink, cstring("/d/up"), p, 0)
	m.want(enoent, nrReadlink, cstring("/x"), p, n)
	m.want(enoent, nrReadlink, cstring("/proc/self/exe"), p, n)
	m.want(efault, nrReadlink, cstring("/d/up"), badAddress, n)
}

// TestGetdents reads directories with buffers of all sizes: every name once, in
// order, whatever the size.
func TestGetdents(t *testing.T) {
	var members []entryOf
	var want []string
	for i := range 300 {
		name := fmt.Sprintf("dir/%s%d", strings.Repeat("x", i%200), i)
		members = append(members, entryOf{name: name})
		want = append(want, name[4:])
	}
	m := bootFiles(t, 1, archiveOf(t, append(members, entryOf{name: "empty", mode: modeDir | 0o755})))
	list := func(fd uint64, size int) (names []string) {
		t.Helper()
		b := make([]byte, size)
		p, n := bytesAt(b)
		for {
			r := m.call(0, nrGetdents64, fd, p, n)
			if r <= 0 {
				if r != 0 {
					t.Fatalf("getdents64 of %d bytes: %d", size, r)
				}
				return names
			}
			for rest := b[:r]; len(rest) > 0; {
				size := binary.LittleEndian.Uint16(rest[16:])
				name, _, _ := bytes.Cut(rest[19:size], []byte{0})
				names = append(names, string(name))
				wantType := byte(8) // DT_REG
				if len(names) <= 2 {
					wantType = 4
				}
				if rest[18] != wantType || size%8 != 0 {
					t.Fatalf("%s has type %d, size %d", name, rest[18], size)
				}
				rest = rest[size:]
			}
		}
	}
	for _, size := range []int{240, 256, 1000, 4096, 1 << 16} {
		fd := m.open("/dir")
		got := list(fd, size)
		if !slices.Equal(got, append([]string{".", ".."}, want...)) {
			t.Errorf("with %d bytes: %d names", size, len(got))
		}
		m.want(0, nrLseek, fd, 0, seekSet)
		if again := list(fd, size); !slices.Equal(again, got) {
			t.Errorf("after a rewind: %d names", len(again))
		}
		m.want(0, nrClose, fd)
	}
	if got := list(m.open("/empty"), 512); !slices.Equal(got, []string{".", ".."}) {
		t.Errorf("an empty directory lists %q", got)
	}
	b := make([]byte, 64)
	p, _ := bytesAt(b)
	fd := m.open("/dir")
	m.want(einval, nrGetdents64, fd, p, 20)
	m.want(efault, nrGetdents64, fd, badAddress, 4096)
	m.want(enotdir, nrGetdents64, 1, p, 64)
	m.want(eisdir, nrRead, fd, p, 64)
	m.want(1<<40, nrLseek, fd, 1<<40, seekSet)
	m.want(0, nrGetdents64, fd, p, 64)
}

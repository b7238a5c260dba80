package linux

import (
	"sync"
	"testing"
	"unsafe"

	"pdac/kernel/sched"
)

// bootFiles makes a machine with files and the archive given.
func bootFiles(t *testing.T, ncpu int, archive []byte) *machine {
	m := boot(t, ncpu)
	initFiles(ncpu, archive)
	t.Cleanup(func() {
		checkFiles(t)
		keep = nil
	})
	return m
}

// initFiles sets up small tables, so that tests reach their ends.
func initFiles(ncpu int, archive []byte) {
	const open, pipes, watches, names = 2048, 64, 1024, 4096
	InitFiles(&Files{
		NCPU: ncpu, CPUs: make([]CPUState, ncpu),
		Descriptors: make([]Descriptor, open), Used: make([]uint64, open/64),
		Open: make([]File, open+8), OpenNext: make([]uint32, open+8),
		Pipes: make([]Pipe, pipes), PipesNext: make([]uint32, pipes), PipeData: make([]byte, pipes*PipeSize),
		Items: make([]Item, watches), ItemsNext: make([]uint32, watches), ItemBuckets: make([]uint32, 64),
		Entries: make([]Entry, names), Inodes: make([]Inode, names), Buckets: make([]NameBucket, 256),
	})
	if archive != nil {
		SetArchive(archive)
	}
}

// checkFiles closes every descriptor and looks for what is left over.
func checkFiles(t *testing.T) {
	t.Helper()
	if t.Failed() {
		return
	}
	for fd := range fds {
		sysClose(0, uint64(fd))
	}
	for i := range files {
		f := &files[i]
		if f.refs.Load() != 0 || f.items != 0 || f.members != 0 || f.ready != 0 || f.nready != 0 || f.q.head != 0 {
			t.Errorf("file %d of kind %d is left over: %d references, items %d, members %d, ready %d, sleeper %d",
				i, f.kind, f.refs.Load(), f.items, f.members, f.nready, f.q.head)
		}
	}
	for _, h := range itemHash {
		if h != 0 {
			t.Error("an epoll item is left over")
		}
	}
	for i := range pipes {
		if p := &pipes[i]; p.reader.Load() != 0 || p.writer.Load() != 0 || p.q.head != 0 {
			t.Errorf("pipe %d is left over", i)
		}
	}
	checkPool(t, "file", &filePool)
	checkPool(t, "pipe", &pipePool)
	checkPool(t, "item", &itemPool)
}

// checkPool counts the free records.
func checkPool(t *testing.T, what string, p *pool) {
	t.Helper()
	free := uint32(0)
	for {
		if _, ok := p.free.Pop(p.next); !ok {
			break
		}
		free++
	}
	if used := p.fresh.Load() - 1; free != used {
		t.Errorf("%d of %d %s records came back", free, used, what)
	}
}

// user is the address of v as user memory: on the heap, where it does not move, and
// alive to the end of the test.
func user[T any](v *T) uint64 {
	keepLock.Lock()
	keep = append(keep, v)
	keepLock.Unlock()
	return uint64(uintptr(unsafe.Pointer(v)))
}

var (
	keepLock sync.Mutex
	keep     []any
)

// bytesAt is the user memory of b.
func bytesAt(b []byte) (addr, n uint64) { return user(unsafe.SliceData(b)), uint64(len(b)) }

// cstring is user memory with a path, and room behind it for a copy in steps.
func cstring(s string) uint64 {
	b := make([]byte, len(s)+512)
	copy(b, s)
	a, _ := bytesAt(b)
	return a
}

const badAddress = 1 << 60

// current is the task that runs on CPU 0.
func current() sched.ID { return sched.Current(0) }

// at is AT_FDCWD as a register.
const at = 1<<64 - 100

func (m *machine) open(path string) uint64 {
	m.Helper()
	fd := m.call(0, nrOpenat, at, cstring(path), oCloexec)
	if fd < 0 {
		m.Fatalf("open %s: %d", path, fd)
	}
	return uint64(fd)
}

// readAll reads a descriptor in small pieces.
func (m *machine) readAll(fd uint64) []byte {
	m.Helper()
	var all []byte
	piece := make([]byte, 37)
	p, n := bytesAt(piece)
	for {
		switch r := m.call(0, nrRead, fd, p, n); {
		case r < 0:
			m.Fatalf("read: %d", r)
		case r == 0:
			return all
		default:
			all = append(all, piece[:r]...)
		}
	}
}

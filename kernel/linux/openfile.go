package linux

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/lockfree"
)

// File is an open file.
type File struct {
	refs  atomic.Uint32 // descriptors and calls; 0: the record is free
	kind  kind          // set before refs leaves 0, like access and obj
	flags atomic.Uint32 // the O_ flags that F_GETFL shows
	obj   uint32        // of a file or directory its entry, of a pipe's end the pipe

	// The position of a file, the cookie of a directory, the count of an eventfd.
	// Of an eventfd it is written under q.lock and read without.
	word atomic.Uint64

	// Threads that wait on an eventfd or epoll. Its lock protects the two
	// fields below as well.
	q      queue
	ready  list // epoll: its ready items
	nready uint32

	watchers lockfree.SpinLock
	items    list // epoll items that watch this file; under watchers
	members  list // epoll: all its items; under epollLock
}

// kind says what a file is.
type kind uint8

const (
	kindNull kind = iota + 1
	kindZero
	kindRandom
	kindConsole
	kindFile // from here to kindDir: of the tree
	kindMaps
	kindDir
	kindPipeReader
	kindPipeWriter
	kindEventfd
	kindEpoll
)

// Keys of the sleepers on a queue.
const (
	waitIn  = 1 // for something to read
	waitOut = 2 // for room to write
)

// Files is the memory that files need. All arrays are virtual: they give limits,
// and are backed through Populate as they fill. Record 0 is never used.
type Files struct {
	NCPU     int
	Populate func(cpu int, va, n uint64) bool // vm.Populate; nil: everything is backed

	CPUs        []CPUState   // NCPU
	Descriptors []Descriptor // the limit of open descriptors, a multiple of 64
	Used        []uint64     // a 64th of that
	Open        []File
	OpenNext    []uint32 // as many
	Pipes       []Pipe
	PipesNext   []uint32 // as many
	PipeData    []byte   // PipeSize for each
	Items       []Item   // descriptors watched by epoll
	ItemsNext   []uint32 // as many
	ItemBuckets []uint32 // a power of two
	Entries     []Entry
	Inodes      []Inode
	Buckets     []NameBucket // a power of two
}

// CPUState is what a CPU has to itself while it is in a call.
type CPUState struct {
	bounce [maxPath]byte
	random generator
}

var (
	perCPU   []CPUState
	files    []File
	filePool pool
)

// InitFiles makes the descriptors 0 (nothing to read), 1 and 2 (the console) and
// a tree of the built-in files. It panics if the memory for that is not there.
//
// Preconditions: boot, once, before the first system call.
func InitFiles(c *Files) {
	if len(c.CPUs) < c.NCPU || len(c.Used)*64 != len(c.Descriptors) || len(c.PipeData) != len(c.Pipes)*PipeSize ||
		!powerOfTwo(len(c.ItemBuckets)) || !powerOfTwo(len(c.Buckets)) {
		panic("linux: bad Files")
	}
	populate = c.Populate
	perCPU, files = c.CPUs, c.Open
	initTable(c)
	var cpus extent
	cpus.init(unsafe.Pointer(unsafe.SliceData(perCPU)), unsafe.Sizeof(CPUState{}), len(perCPU))
	if !cpus.grow(0, uint32(c.NCPU)) {
		panic("linux: no memory for the CPUs")
	}
	filePool.init(unsafe.Pointer(unsafe.SliceData(files)), unsafe.Sizeof(File{}), len(files), c.OpenNext)
	initPipes(c)
	initEpoll(c)
	initTree(c)
	cwd.Store(rootEntry)

	null, _ := tree.walk(rootEntry, unsafe.Slice(unsafe.StringData(nullPath), len(nullPath)), true)
	if openFD(0, kindNull, oRdonly, null, 0) != 0 || openFD(0, kindConsole, oRdwr, 0, 0) != 1 || dupFrom(0, 1, 2, 0) != 2 {
		panic("linux: no memory for the first descriptors")
	}
}

func powerOfTwo(n int) bool { return n > 0 && n&(n-1) == 0 }

const nullPath = "/dev/null"

// Flags of open(2).
const (
	oRdonly    = 0
	oWronly    = 1
	oRdwr      = 2
	oAccess    = 3
	oCreat     = 0x40
	oExcl      = 0x80
	oTrunc     = 0x200
	oAppend    = 0x400
	oNonblock  = 0x800
	oDirect    = 0x4000
	oLargefile = 0x8000
	oDirectory = 0x10000
	oNofollow  = 0x20000
	oNoatime   = 0x40000
	oCloexec   = 0x80000

	oSettable = oAppend | oNonblock | oDirect | oNoatime // by F_SETFL
)

// newFile makes an open file with one reference; 0 if there is no room.
func newFile(cpu int, k kind, flags, obj uint32) uint32 {
	n := filePool.get(cpu)
	if n != 0 {
		f := &files[n]
		f.kind, f.obj = k, obj
		f.flags.Store(flags)
		f.word.Store(0)
		f.refs.Store(1) // pairs with hold
	}
	return n
}

// openFD makes an open file and the lowest free descriptor for it, with
// O_CLOEXEC as fdFlags say. ENFILE, EMFILE and ENOMEM say what is exhausted.
func openFD(cpu int, k kind, flags, obj uint32, fdFlags uint64) int64 {
	n := newFile(cpu, k, flags, obj)
	if n == 0 {
		return enfile
	}
	fd := install(cpu, n, 0, fdFlags)
	if fd < 0 {
		putFile(cpu, n)
	}
	return fd
}

// hold takes a reference; false if the record is free.
func (f *File) hold() bool {
	for r := f.refs.Load(); r != 0; r = f.refs.Load() {
		if f.refs.CompareAndSwap(r, r+1) {
			return true
		}
	}
	return false
}

// putFile gives a reference back, and the file with the last one. Nobody can find
// the record then but the watchers that unwatch removes, and sleepers, who
// run their call again and find the descriptor closed.
func putFile(cpu int, n uint32) {
	f := &files[n]
	if f.refs.Add(^uint32(0)) != 0 {
		return
	}
	unwatch(cpu, f)
	switch f.kind {
	case kindPipeReader, kindPipeWriter:
		closePipe(cpu, f)
	case kindEpoll:
		closeEpoll(cpu, f)
	}
	f.q.lock(cpu)
	wakeAll(cpu, &f.q, waitIn, 0)
	wakeAll(cpu, &f.q, waitOut, 0)
	f.q.unlock()
	filePool.put(n)
}

// inTree says whether to look at the file is to look at the tree.
func (f *File) inTree() bool { return f.kind >= kindFile && f.kind <= kindDir }

// askRead asks for a call that reads the file or looks at it, if it is of the tree.
func (f *File) askRead(cpu int) int64 {
	if f.inTree() {
		return ask(cpu, FamilyFiles, RightRead)
	}
	return 0
}

// setFlags sets the flags of mask to their value in flags.
func (f *File) setFlags(mask, flags uint32) {
	for {
		old := f.flags.Load()
		if f.flags.CompareAndSwap(old, old&^mask|flags&mask) {
			return
		}
	}
}

func (f *File) readable() bool    { return f.flags.Load()&oAccess != oWronly }
func (f *File) writable() bool    { return f.flags.Load()&oAccess != oRdonly }
func (f *File) nonblocking() bool { return f.flags.Load()&oNonblock != 0 }

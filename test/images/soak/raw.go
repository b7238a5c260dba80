package main

import (
	"syscall"
	"unsafe"
)

// System calls that package syscall has no function for.

const (
	sysEventfd2     = 290
	sysGetcpu       = 309
	clockMonotonic  = 1
	futexWaitOp     = 0 | 128
	futexWakeOp     = 1 | 128
	futexRequeueOp  = 3 | 128
	madvDontNeed    = 4
	madvHugePage    = 14
	madvNoHugePage  = 15
	sysSetaffinity  = syscall.SYS_SCHED_SETAFFINITY
	sysGetaffinity  = syscall.SYS_SCHED_GETAFFINITY
	efdNonblock     = syscall.O_NONBLOCK
	efdSemaphore    = 1
	threadCPUClock  = 3
	protNone        = syscall.PROT_NONE
	protRead        = syscall.PROT_READ
	protReadWrite   = syscall.PROT_READ | syscall.PROT_WRITE
	mapAnonymous    = syscall.MAP_ANON | syscall.MAP_PRIVATE
	pageSize        = 4096
	hugePageSize    = 2 << 20
	pagesOfHugePage = hugePageSize / pageSize
)

// call makes a system call that may block.
func call(n, a, b, c, d, e, f uintptr) (uintptr, error) {
	r, _, errno := syscall.Syscall6(n, a, b, c, d, e, f)
	if errno != 0 {
		return r, errno
	}
	return r, nil
}

func clockGettime(ts *syscall.Timespec) {
	_, err := call(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(ts)), 0, 0, 0, 0)
	must(err, "clock_gettime")
}

// threadTime returns the CPU time of the calling thread in ns.
func threadTime() int64 {
	var ts syscall.Timespec
	_, err := call(syscall.SYS_CLOCK_GETTIME, threadCPUClock, uintptr(unsafe.Pointer(&ts)), 0, 0, 0, 0)
	must(err, "clock_gettime")
	return ts.Nano()
}

func futex(word *uint32, op, value uintptr, timeout *syscall.Timespec) (int, error) {
	n, err := call(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), op, value, uintptr(unsafe.Pointer(timeout)), 0, 0)
	return int(n), err
}

// region is memory of our own, outside the Go heap.
type region uintptr

func mmap(n, prot uintptr) region {
	a, err := call(syscall.SYS_MMAP, 0, n, prot, mapAnonymous, ^uintptr(0), 0)
	must(err, "mmap")
	return region(a)
}

func (r region) mmapFixed(n, prot uintptr) {
	a, err := call(syscall.SYS_MMAP, uintptr(r), n, prot, mapAnonymous|syscall.MAP_FIXED, ^uintptr(0), 0)
	must(err, "mmap")
	if a != uintptr(r) {
		bad("mmap: MAP_FIXED at %#x gave %#x", r, a)
	}
}

func (r region) munmap(n uintptr) {
	_, err := call(syscall.SYS_MUNMAP, uintptr(r), n, 0, 0, 0, 0)
	must(err, "munmap")
}

func (r region) protect(n, prot uintptr) {
	_, err := call(syscall.SYS_MPROTECT, uintptr(r), n, prot, 0, 0, 0)
	must(err, "mprotect")
}

func (r region) advise(n, advice uintptr) {
	_, err := call(syscall.SYS_MADVISE, uintptr(r), n, advice, 0, 0, 0)
	must(err, "madvise")
}

// word is the 8 bytes at offset.
func (r region) word(offset uintptr) *uint64 {
	a := uintptr(r) + offset
	return *(**uint64)(unsafe.Pointer(&a)) // vet: an address that the collector does not know
}

package measure

import (
	"math/bits"
	"runtime"
	"syscall"
	"unsafe"
)

// affinity is a set of CPUs: Linux's cpu_set_t, sched_setaffinity(2).
type affinity [1024 / 64]uint64

// pin keeps the goroutine on one thread, and that on the k-th of the CPUs that the process may use,
// until unpin. Without it, two threads on a busy machine are often put on the same CPU, one after
// the other. Where it fails the measurement is only noisier.
func pin(k int) (unpin func()) {
	runtime.LockOSThread()
	var may affinity
	if !may.call(syscall.SYS_SCHED_GETAFFINITY) {
		return runtime.UnlockOSThread
	}
	one := may.only(k)
	one.call(syscall.SYS_SCHED_SETAFFINITY)
	return func() {
		may.call(syscall.SYS_SCHED_SETAFFINITY)
		runtime.UnlockOSThread()
	}
}

// call makes a system call about the calling thread.
func (a *affinity) call(number uintptr) bool {
	_, _, e := syscall.RawSyscall(number, 0, unsafe.Sizeof(*a), uintptr(unsafe.Pointer(a)))
	return e == 0
}

// only returns the k-th member of a alone, counting round.
func (a *affinity) only(k int) (one affinity) {
	members := 0
	for _, w := range a {
		members += bits.OnesCount64(w)
	}
	k %= max(members, 1)
	for cpu := range len(a) * 64 {
		if a[cpu/64]>>(cpu%64)&1 == 0 {
			continue
		}
		if k == 0 {
			one[cpu/64] |= 1 << (cpu % 64)
			return one
		}
		k--
	}
	return *a
}

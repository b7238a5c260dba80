package linux

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/lockfree"
	"pdac/kernel/sched"
)

// Thread is what Linux keeps of a task. Threads lie in an array that runs parallel to the scheduler's: the index is the task
// number. A record is reset when its number gets a new life, and is never freed.
type Thread struct {
	wait // the lock of the queue that waitOn names

	// The thread itself, in the kernel; the party that unlinked it from a queue, before it wakes it.
	resume uint64 // deadline of the call that is to run again, 0: none

	nap queue // where it waits for time only

	signals // signalset.go says who writes what

	// The thread itself.
	altStack altStack
	clearTID uint64 // user address, cleared and woken at exit; 0: none
	fault    Fault  // the last synchronous one
	lastResort
	placement

	alive      atomic.Bool // set before the first run, cleared by the exit hook
	idleTimers atomic.Bool // has CPU-time timers that stand still until Deliver

	timerLock lockfree.SpinLock
	timers    sched.Timer // list of its CPU-time timers, under timerLock
}

const (
	processID  = 1
	mainThread = sched.ID(processID)
)

var (
	threads []Thread
	ncpu    int

	living atomic.Int32  // threads
	high   atomic.Uint32 // the highest number that a thread ever had
)

// thread returns the record of a thread, unchecked like sched.Get: its number is that of a task, or was found to exist.
func thread(t sched.ID) *Thread {
	return (*Thread)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(threads)), uintptr(t)*unsafe.Sizeof(Thread{})))
}

func highest() sched.ID { return high.Load() }

// exists says whether t is the number of a living thread.
func exists(t sched.ID) bool { return t != 0 && t <= highest() && thread(t).alive.Load() }

// begin resets the record for a new life with that signal mask.
func (th *Thread) begin(t sched.ID, mask uint64) {
	th.resume, th.interrupted = 0, 0
	th.mask.Store(mask)
	th.pending.drop(^uint64(0))
	th.altStack = altStack{}
	th.clearTID = 0
	th.fault = Fault{}
	th.lastResort = lastResort{left: lastFrames}
	th.idleTimers.Store(false)
	for {
		h := high.Load()
		if t <= h || high.CompareAndSwap(h, t) {
			break
		}
	}
	living.Add(1)
	th.alive.Store(true)
}

// finish ends the thread's call with that result: it is not run again.
func (th *Thread) finish(c *sched.Context, r int64) {
	c.RAX = uint64(r)
	th.resume, th.interrupted = 0, 0
}

// Flags of clone(2).
const (
	cloneVM            = 0x00000100
	cloneFS            = 0x00000200
	cloneFiles         = 0x00000400
	cloneSighand       = 0x00000800
	cloneThread        = 0x00010000
	cloneSysvsem       = 0x00040000
	cloneSettls        = 0x00080000
	cloneParentSettid  = 0x00100000
	cloneChildCleartid = 0x00200000
	cloneDetached      = 0x00400000
	cloneChildSettid   = 0x01000000

	cloneNeeded  = cloneVM | cloneFS | cloneFiles | cloneSighand | cloneThread
	cloneOffered = cloneNeeded | cloneSysvsem | cloneSettls | cloneParentSettid | cloneChildCleartid | cloneDetached | cloneChildSettid
)

// sysClone makes a thread: clone(flags, stack, parent_tid, child_tid, tls). A process of its own is ENOSYS, other ways of sharing
// are EINVAL, too many threads EAGAIN.
func sysClone(cpu int, t sched.ID, c *sched.Context) int64 {
	flags, stack, parentTID, childTID, tls := c.RDI, c.RSI, c.RDX, c.R10, c.R8
	if flags&cloneThread == 0 {
		return enosys
	}
	if flags&cloneNeeded != cloneNeeded || flags&^(cloneOffered|0xff) != 0 { // the low byte is the exit signal, unused with a thread
		return einval
	}
	if flags&cloneSettls != 0 && tls >= userEnd {
		return eperm
	}
	n, ok := sched.New(cpu)
	if !ok {
		return eagain
	}
	tid := uint32(n)
	if flags&cloneParentSettid != 0 && !store32(parentTID, tid) || flags&cloneChildSettid != 0 && !store32(childTID, tid) {
		sched.Discard(n)
		return efault
	}
	nc := &sched.Get(n).Ctx
	*nc = *c
	nc.XSave = xsaveArea(n)
	nc.Vector = 0
	nc.RAX = 0
	if stack != 0 {
		nc.RSP = stack
	}
	if flags&cloneSettls != 0 {
		nc.FS = tls
	}
	th := thread(n)
	th.begin(n, thread(t).mask.Load())
	th.placement.inherit(&thread(t).placement)
	if flags&cloneChildCleartid != 0 {
		th.clearTID = childTID
	}
	sched.Enqueue(cpu, n)
	return int64(tid)
}

// sysExit ends the thread; with the last one the program ends.
func sysExit(cpu int, t sched.ID, c *sched.Context) int64 {
	if living.Add(-1) == 0 {
		return sysExitGroup(cpu, c)
	}
	sched.Exit(cpu, t)
	return blocked
}

func sysExitGroup(cpu int, c *sched.Context) int64 {
	hooks.Exit(cpu, int(c.RDI&0xff))
	return 0
}

// exitThread is the scheduler's hook: what a thread holds is given back here, whichever way it ended.
func exitThread(cpu int, t sched.ID) {
	th := thread(t)
	th.alive.Store(false) // nobody signals it from here on
	retarget(cpu, ^uint64(0))
	dropTimers(cpu, t, th)
	if a := th.clearTID; a != 0 && store32(a, 0) {
		futexWake(cpu, a, anyBit, 1)
	}
}

func sysPrctl(t sched.ID, c *sched.Context) int64 {
	const setName, getName = 15, 16
	switch c.RDI {
	case setName:
		var name [16]byte
		if !copyString(&name, c.RSI) {
			return efault
		}
		sched.SetName(t, name[:])
		return 0
	case getName:
		name := sched.Info(t).Name
		if !copyOut(c.RSI, unsafe.Pointer(&name), uint64(len(name))) {
			return efault
		}
		return 0
	}
	return einval // PR_SET_VMA among them: the runtime asks once and then leaves it
}

// copyString copies a string of user memory at a, up to its zero byte or as much as leaves one.
func copyString(s *[16]byte, a uint64) bool {
	for i := range len(s) - 1 {
		if !copyIn(unsafe.Pointer(&s[i]), a+uint64(i), 1) {
			return false
		}
		if s[i] == 0 {
			break
		}
	}
	return true
}

// sysArchPrctl sets the thread pointer. GS is the kernel's.
func sysArchPrctl(c *sched.Context) int64 {
	const setFS, getFS = 0x1002, 0x1003
	switch c.RDI {
	case setFS:
		if c.RSI >= userEnd {
			return eperm
		}
		c.FS = c.RSI
		return 0
	case getFS:
		if !store64(c.RSI, c.FS) {
			return efault
		}
		return 0
	}
	return einval
}

package linux

import (
	"math/bits"
	"unsafe"

	"pdac/kernel/lockfree"
	"pdac/kernel/sched"
)

// sigAction is struct sigaction as rt_sigaction(2) passes it.
type sigAction struct {
	handler, flags, restorer, mask uint64
}

const (
	sigDefault = 0
	sigIgnore  = 1

	saRestorer  = 0x04000000
	saOnStack   = 0x08000000
	saRestart   = 0x10000000
	saNoDefer   = 0x40000000
	saResetHand = 0x80000000
)

// actions are the process's; actionsLock makes the four words of one change together. It is a leaf and is held for a copy of them.
var (
	actionsLock lockfree.SpinLock
	actions     [sigMax]sigAction
)

func action(sig int) sigAction {
	actionsLock.Lock()
	a := actions[sig-1]
	actionsLock.Unlock()
	return a
}

// ignored says whether sig has no effect under a.
func (a *sigAction) ignored(sig int) bool {
	return a.handler == sigIgnore || a.handler == sigDefault && harmless&bit(sig) != 0
}

// raise sends sig to thread t. It may be called from anywhere, an interrupt too, with no queue locked. A signal that is ignored and
// not blocked is dropped here, so that it wakes nobody.
func raise(cpu int, t sched.ID, sig int, info sigInfo) {
	th := thread(t)
	a := action(sig)
	if th.mask.Load()&bit(sig) == 0 && a.ignored(sig) {
		return
	}
	th.pending.post(sig, info)
	if th.mask.Load()&bit(sig) == 0 {
		alert(cpu, t, th)
	}
}

// raiseProcess sends sig to the process: a thread that does not block it takes it, the one that runs here if it may, else the main
// thread, else any. If all block it, the first that stops doing so takes it.
func raiseProcess(cpu int, sig int, info sigInfo) {
	a := action(sig)
	if a.ignored(sig) {
		return
	}
	processPending.post(sig, info)
	alertAny(cpu, sig)
}

// alertAny makes a thread that does not block sig look at the process's pending signals.
func alertAny(cpu int, sig int) {
	if t := sched.Current(cpu); t != 0 && wants(t, sig) {
		alert(cpu, t, thread(t))
		return
	}
	for t := mainThread; t <= highest(); t++ {
		if wants(t, sig) {
			alert(cpu, t, thread(t))
			return
		}
	}
}

// retarget alerts other threads for the process's pending signals of set, which the thread that calls blocks from now on, or will
// not live to take: it may be the one that was alerted.
func retarget(cpu int, set uint64) {
	for set &= processPending.set.Load(); set != 0; set &= set - 1 {
		alertAny(cpu, bits.TrailingZeros64(set)+1)
	}
}

// wants says whether t lives and does not block sig.
func wants(t sched.ID, sig int) bool {
	th := thread(t)
	return th.alive.Load() && th.mask.Load()&bit(sig) == 0
}

// alert makes t look at its pending signals: at once if it runs, else as soon as it may run, which is now if it sleeps.
func alert(cpu int, t sched.ID, th *Thread) {
	sched.Get(t).Attn.Store(1) // pairs with the load that follows enter
	if t != sched.Current(cpu) && !interrupt(cpu, t, th) {
		sched.Urgent(cpu, t)
	}
}

// Deliver makes t take its deliverable signals: for each the default action, or a frame on its stack with its registers set to the
// handler, the last one on top. The board calls it when t is about to return to the program with Attn set.
//
// Preconditions: t is current on cpu.
func Deliver(cpu int, t sched.ID) {
	task, th := sched.Get(t), thread(t)
	task.Attn.Store(0) // before the look, so that a sender who comes after it is seen next time
	if th.idleTimers.Load() {
		resumeTimers(cpu, t, th)
	}
	for {
		sig, info := th.pending.take(th.mask.Load())
		if sig == 0 {
			if sig, info = processPending.take(th.mask.Load()); sig == 0 {
				break
			}
		}
		a := action(sig)
		if a.ignored(sig) {
			continue
		}
		if a.handler == sigDefault || sig == sigKILL {
			hooks.Fatal(cpu, t, sig, info.code, info.first)
			continue
		}
		th.settle(&task.Ctx, &a)
		handle(cpu, t, th, &task.Ctx, sig, info, &a)
	}
}

// settle decides what becomes of a call that is to run again: it does so after the handler, or it ends with EINTR. A call that was
// woken may have something to fetch, so it always runs, and ends with EINTR if it would have to sleep once more: what woke it may
// be another thread's by then, and the program counts on the handler to end the wait.
func (th *Thread) settle(c *sched.Context, a *sigAction) {
	m := th.interrupted
	if m == 0 {
		return
	}
	th.interrupted = 0
	ends := m&(noRestart|handled) != 0 || a.flags&saRestart == 0
	switch {
	case ends && m&stopped != 0:
		putRemaining(c, th.resume)
		c.RIP += syscallLength
		r := eintr
		c.RAX = uint64(r)
	case ends:
		th.interrupted = handled // pushFrame keeps it until the handler's end
	}
	th.resume = 0 // the handler's own calls have theirs
}

// handle makes t run the handler of a for sig when it returns to the program.
func handle(cpu int, t sched.ID, th *Thread, c *sched.Context, sig int, info sigInfo, a *sigAction) {
	if a.flags&saResetHand != 0 {
		actionsLock.Lock()
		actions[sig-1] = sigAction{}
		actionsLock.Unlock()
	}
	th.telling = true
	ok := pushFrame(th, c, sig, info, a)
	th.telling = false
	if !ok {
		hooks.Fatal(cpu, t, sigSEGV, siKernel, c.RSP)
		return
	}
	mask := th.mask.Load() | a.mask
	if a.flags&saNoDefer == 0 {
		mask |= bit(sig)
	}
	th.setMask(cpu, t, mask)
}

// force makes t take a synchronous signal, which cannot wait: one that is blocked or ignored kills.
func force(cpu int, t sched.ID, sig int, info sigInfo) {
	th := thread(t)
	a := action(sig)
	if th.mask.Load()&bit(sig) != 0 || a.handler == sigDefault || a.handler == sigIgnore {
		hooks.Fatal(cpu, t, sig, info.code, info.first)
		return
	}
	handle(cpu, t, th, &sched.Get(t).Ctx, sig, info, &a)
}

// setMask blocks the signals of mask and no others.
func (th *Thread) setMask(cpu int, t sched.ID, mask uint64) {
	mask &^= unblockable
	old := th.mask.Swap(mask)
	// A sender who saw the old mask may have chosen this thread for what it now
	// blocks, or left to it what it now takes.
	if new := mask &^ old; new&processPending.set.Load() != 0 {
		retarget(cpu, new)
	}
	if th.deliverable() != 0 {
		sched.Get(t).Attn.Store(1)
	}
}

const sigsetSize = 8 // the only size of a set that the kernel takes

func sysSigaction(c *sched.Context) int64 {
	sig := int(c.RDI)
	if c.RDI-1 >= sigMax || c.R10 != sigsetSize {
		return einval
	}
	var a sigAction
	if c.RSI != 0 {
		if sig == sigKILL || sig == sigSTOP {
			return einval
		}
		if !copyIn(unsafe.Pointer(&a), c.RSI, uint64(unsafe.Sizeof(a))) {
			return efault
		}
		a.mask &^= unblockable
	}
	actionsLock.Lock()
	old := actions[sig-1]
	if c.RSI != 0 {
		actions[sig-1] = a
	}
	actionsLock.Unlock()
	if c.RSI != 0 && a.ignored(sig) {
		processPending.drop(bit(sig)) // a thread's own is dropped when it would be delivered
	}
	if c.RDX != 0 && !copyOut(c.RDX, unsafe.Pointer(&old), uint64(unsafe.Sizeof(old))) {
		return efault
	}
	return 0
}

func sysSigprocmask(cpu int, t sched.ID, c *sched.Context) int64 {
	const block, unblock, set = 0, 1, 2
	if c.R10 != sigsetSize {
		return einval
	}
	th := thread(t)
	old := th.mask.Load()
	if c.RSI != 0 {
		v, ok := load64(c.RSI)
		if !ok {
			return efault
		}
		switch int32(c.RDI) {
		case block:
			v |= old
		case unblock:
			v = old &^ v
		case set:
		default:
			return einval
		}
		th.setMask(cpu, t, v)
	}
	if c.RDX != 0 && !store64(c.RDX, old) {
		return efault
	}
	return 0
}

func sysSigpending(t sched.ID, c *sched.Context) int64 {
	if c.RSI != sigsetSize {
		return einval
	}
	th := thread(t)
	if !store64(c.RDI, (th.pending.set.Load()|processPending.set.Load())&th.mask.Load()) {
		return efault
	}
	return 0
}

// target checks the arguments of a call that signals a thread; sig 0 asks only whether the thread is there.
func target(tid uint64, sig uint64) (sched.ID, int64) {
	if int32(tid) <= 0 || sig > sigMax {
		return 0, einval
	}
	if !exists(sched.ID(tid)) {
		return 0, esrch
	}
	return sched.ID(tid), 0
}

// sender is the first word of a signal that a call of the program sent: pid, and uid 0.
var sender = sigInfo{code: siTkill, first: processID}

func sysTkill(cpu int, c *sched.Context) int64 { return tkill(cpu, c.RDI, c.RSI, sender) }

func sysTgkill(cpu int, c *sched.Context) int64 {
	if int32(c.RDI) <= 0 {
		return einval
	}
	if int32(c.RDI) != processID {
		return esrch
	}
	return tkill(cpu, c.RSI, c.RDX, sender)
}

func tkill(cpu int, tid, sig uint64, info sigInfo) int64 {
	t, e := target(tid, sig)
	if e == 0 && sig != 0 {
		raise(cpu, t, int(sig), info)
	}
	return e
}

func sysKill(cpu int, c *sched.Context) int64 {
	const ownGroup = 0 // of processes: this one
	switch int32(c.RDI) {
	case processID, -processID, ownGroup:
	default:
		return esrch
	}
	if c.RSI > sigMax {
		return einval
	}
	if c.RSI != 0 {
		raiseProcess(cpu, int(c.RSI), sigInfo{code: siUser, first: processID})
	}
	return 0
}

// sysTgsigqueueinfo sends a signal with the sender's own siginfo, whose code must be one that the kernel never uses.
func sysTgsigqueueinfo(cpu int, c *sched.Context) int64 {
	var info [4]uint64
	if !copyIn(unsafe.Pointer(&info), c.R10, uint64(unsafe.Sizeof(info))) {
		return efault
	}
	code := int32(info[1])
	if code >= 0 || code == siTkill {
		return eperm
	}
	if int32(c.RDI) != processID {
		return esrch
	}
	return tkill(cpu, c.RSI, c.RDX, sigInfo{code: code, first: info[2], second: info[3]})
}

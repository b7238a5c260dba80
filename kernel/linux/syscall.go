package linux

import (
	"sync/atomic"

	"pdac/kernel/klog"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// Syscall answers the system call of task t: number in RAX, arguments in RDI, RSI, RDX, R10, R8 and R9 of its saved context, result
// (or negated error number) to RAX. When it returns the task may be parked, dead or on another CPU: the caller goes on with
// whatever sched.Leave gives.
//
// The compiler makes a jump table of the switch as long as no more than three of four numbers are missing between its smallest and
// its largest: those that lie apart are lateCall's.
//
// Preconditions: t is current on cpu, its context saved with RIP behind the SYSCALL instruction.
//
//go:nosplit
func Syscall(cpu int, t sched.ID) (next sched.ID) {
	c := &sched.Get(t).Ctx
	var r int64
	switch c.RAX {
	// Memory.
	case nrMmap:
		r = sysMmap(cpu, c)
	case nrMprotect:
		r = sysMprotect(cpu, c)
	case nrMunmap:
		r = sysMunmap(cpu, c)
	case nrMremap:
		r = sysMremap(cpu, c)
	case nrBrk:
		r = 0 // there is no break: 0 for any wish says so (the runtime asks on allocation failures of early boot only)
	case nrMincore:
		r = sysMincore(cpu, c)
	case nrMadvise:
		r = sysMadvise(cpu, c)
	case nrMbind:
		r = sysMbind(cpu, c)
	case nrSetMempolicy:
		r = sysSetMempolicy(t, c)
	case nrGetMempolicy:
		r = sysGetMempolicy(cpu, t, c)
	case nrMlock, nrMunlock, nrMlockall, nrMunlockall, nrMlock2:
		r = 0 // nothing is ever paged out

	// Signals.
	case nrRtSigaction:
		r = sysSigaction(c)
	case nrRtSigprocmask:
		r = sysSigprocmask(cpu, t, c)
	case nrRtSigreturn:
		r = sysSigreturn(cpu, t, c)
	case nrRtSigpending:
		r = sysSigpending(t, c)
	case nrSigaltstack:
		r = sysSigaltstack(t, c)
	case nrKill:
		r = sysKill(cpu, c)
	case nrTkill:
		r = sysTkill(cpu, c)
	case nrTgkill:
		r = sysTgkill(cpu, c)
	case nrRtTgsigqueueinfo:
		r = sysTgsigqueueinfo(cpu, c)

	// Threads.
	case nrClone:
		r = sysClone(cpu, t, c)
	case nrExit:
		r = sysExit(cpu, t, c)
	case nrExitGroup:
		r = sysExitGroup(cpu, c)
	case nrFutex:
		return Futex(cpu, t, c, clockNow())
	case nrGetpid, nrGetpgrp, nrGetsid, nrGetpgid:
		r = processID
	case nrGettid:
		r = int64(t)
	case nrGetppid, nrGetuid, nrGetgid, nrGeteuid, nrGetegid:
		r = 0
	case nrSchedYield:
		return Yield(cpu, t, c, clockNow())
	case nrSetTidAddress:
		thread(t).clearTID = c.RDI
		r = int64(t)
	case nrPrctl:
		r = sysPrctl(t, c)
	case nrArchPrctl:
		r = sysArchPrctl(c)
	case nrSchedSetaffinity:
		r = sysSetaffinity(cpu, t, c)
	case nrSchedGetaffinity:
		r = sysGetaffinity(t, c)
	case nrGetcpu:
		r = sysGetcpu(cpu, c)

	// Time.
	case nrNanosleep:
		r = sysNanosleep(cpu, t, c)
	case nrClockNanosleep:
		r = sysClockNanosleep(cpu, t, c)
	case nrClockGettime:
		r = sysClockGettime(cpu, t, c)
	case nrClockGetres:
		r = sysClockGetres(cpu, c)
	case nrGettimeofday:
		r = sysGettimeofday(c)
	case nrTime:
		r = sysTime(c)
	case nrTimes:
		r = sysTimes(c)
	case nrGetrusage:
		r = sysGetrusage(cpu, t, c)
	case nrTimerCreate:
		r = sysTimerCreate(cpu, t, c)
	case nrTimerSettime:
		r = sysTimerSettime(cpu, c)
	case nrTimerGettime:
		r = sysTimerGettime(cpu, c)
	case nrTimerGetoverrun:
		r = sysTimerGetoverrun(c)
	case nrTimerDelete:
		r = sysTimerDelete(cpu, c)
	case nrSetitimer:
		r = sysSetitimer(cpu, c)
	case nrGetitimer:
		r = sysGetitimer(cpu, c)

	// The machine.
	case nrUname:
		r = sysUname(c)
	case nrSysinfo:
		r = sysSysinfo(c)
	case nrGetrlimit:
		r = sysGetrlimit(c)
	case nrPrlimit64:
		r = sysPrlimit(c)

	// Reading and writing.
	case nrRead:
		r = sysRead(cpu, t, c)
	case nrWrite:
		r = sysWrite(cpu, t, c)
	case nrReadv, nrWritev:
		r = sysVector(cpu, t, c, c.RAX == nrWritev)
	case nrPread64:
		r = sysPread(cpu, t, c)
	case nrPwrite64:
		r = sysPwrite(cpu, t, c)
	case nrLseek:
		r = sysLseek(cpu, c.RDI, c.RSI, c.RDX)
	case nrIoctl:
		r = sysIoctl(cpu, c.RDI, c.RSI, c.RDX)
	case nrFsync, nrFdatasync:
		r = sysFsync(cpu, c.RDI)

	// Descriptors.
	case nrClose:
		r = sysClose(cpu, c.RDI)
	case nrDup:
		r = dupFrom(cpu, c.RDI, 0, 0)
	case nrDup2:
		r = sysDup2(cpu, c.RDI, c.RSI)
	case nrDup3:
		r = sysDup3(cpu, c.RDI, c.RSI, c.RDX)
	case nrFcntl:
		r = sysFcntl(cpu, c.RDI, c.RSI, c.RDX)

	// The tree.
	case nrOpen:
		r = sysOpenat(cpu, fdcwd, c.RDI, c.RSI)
	case nrOpenat:
		r = sysOpenat(cpu, c.RDI, c.RSI, c.RDX)
	case nrGetdents64:
		r = sysGetdents64(cpu, c.RDI, c.RSI, c.RDX)
	case nrStat:
		r = sysNewfstatat(cpu, fdcwd, c.RDI, c.RSI, 0)
	case nrLstat:
		r = sysNewfstatat(cpu, fdcwd, c.RDI, c.RSI, atSymlinkNofollow)
	case nrFstat:
		r = sysFstat(cpu, c.RDI, c.RSI)
	case nrNewfstatat:
		r = sysNewfstatat(cpu, c.RDI, c.RSI, c.RDX, c.R10)
	case nrReadlink:
		r = sysReadlinkat(cpu, fdcwd, c.RDI, c.RSI, c.RDX)
	case nrReadlinkat:
		r = sysReadlinkat(cpu, c.RDI, c.RSI, c.RDX, c.R10)
	case nrAccess:
		r = sysFaccessat(cpu, fdcwd, c.RDI, c.RSI, 0)
	case nrFaccessat:
		r = sysFaccessat(cpu, c.RDI, c.RSI, c.RDX, 0)
	case nrChdir:
		r = sysChdir(cpu, c.RDI)
	case nrFchdir:
		r = sysFchdir(cpu, c.RDI)
	case nrGetcwd:
		r = sysGetcwd(cpu, c.RDI, c.RSI)
	case nrTruncate, nrRename, nrMkdir, nrRmdir, nrCreat, nrLink, nrUnlink, nrSymlink, nrChmod, nrChown, nrLchown,
		nrFchmod, nrFchown, nrMkdirat, nrMknodat, nrFchownat, nrUnlinkat, nrRenameat, nrLinkat, nrSymlinkat, nrFchmodat,
		nrUtimensat, nrRenameat2:
		r = erofs
	case nrFtruncate:
		r = einval // no file is ever open for writing

	// Events.
	case nrPipe:
		r = sysPipe2(cpu, c.RDI, 0)
	case nrPipe2:
		r = sysPipe2(cpu, c.RDI, c.RSI)
	case nrEventfd:
		r = sysEventfd2(cpu, c.RDI, 0)
	case nrEventfd2:
		r = sysEventfd2(cpu, c.RDI, c.RSI)
	case nrEpollCreate:
		r = einval
		if int32(c.RDI) > 0 {
			r = sysEpollCreate1(cpu, 0)
		}
	case nrEpollCreate1:
		r = sysEpollCreate1(cpu, c.RDI)
	case nrEpollCtl:
		r = sysEpollCtl(cpu, c.RDI, c.RSI, c.RDX, c.R10)
	case nrEpollWait:
		r = sysEpollWait(cpu, t, c, 0)
	case nrEpollPwait:
		r = sysEpollWait(cpu, t, c, c.R8)
	case nrGetrandom:
		r = sysGetrandom(cpu, c.RDI, c.RSI, c.RDX)

	default:
		r = lateCall(cpu, t, c)
	}
	if r != blocked {
		thread(t).finish(c, r)
	}
	return 0
}

// Yield is the call sched_yield() of task t, whose registers are c. The trap entry comes here directly. now and next are as for Futex.
//
//go:nosplit
func Yield(cpu int, t sched.ID, c *sched.Context, now uint64) (next sched.ID) {
	c.RAX = 0
	return sched.PassTurn(cpu, t, now)
}

// lateCall dispatches the calls whose numbers lie far above the others', and answers all that nobody knows.
func lateCall(cpu int, t sched.ID, c *sched.Context) int64 {
	if c.RAX >= CountedCalls {
		count(cpu, c.RAX)
	}
	switch c.RAX {
	case nrFaccessat2:
		return sysFaccessat(cpu, c.RDI, c.RSI, c.RDX, c.R10)
	case nrEpollPwait2:
		return sysEpollPwait2(cpu, t, c)
	case IRQWait:
		return sysIRQWait(cpu, t, c)
	case MapDevice:
		return sysMapDevice(cpu, c)
	case SetClass:
		return sysSetClass(cpu, t, c)
	case SampleMemory:
		if r := ask(cpu, FamilyMachine, RightDrive); r != 0 {
			return r
		}
		return int64(vm.Sample(cpu, int(min(c.RDI, vm.SampleMost))))
	case Crash:
		if r := ask(cpu, FamilyMachine, RightDrive); r != 0 {
			return r
		}
		return *(*int64)(nil)
	}
	return unknown(c.RAX)
}

// unknown is the answer to a call that there is no handler for.
func unknown(nr uint64) int64 {
	setUnknown(nr)
	klog.New(klog.Debug).Str("linux: no call ").Dec(nr).Str(" ").Str(Name(nr)).End()
	return enosys
}

// callCounts are the counters of one CPU, which alone adds to them.
type callCounts [nrLimit]uint64

var counts []callCounts

func count(cpu int, nr uint64) { atomic.AddUint64(&counts[cpu][slot(nr)], 1) }

// slot is the counter of call nr.
func slot(nr uint64) uint64 {
	if nr < nrIRQWait {
		return nr
	}
	if nr == IRQWait {
		return nrIRQWait
	}
	return nrOther
}

// Calls is how many counters there are. The trap entry counts the calls below CountedCalls (CountsOf), Syscall all others.
const (
	Calls        = nrLimit
	CountedCalls = nrIRQWait
)

// Counts returns how often call number i, 0 <= i < Calls, was made since boot; the last two count IRQWait and all higher numbers.
// Callable from both worlds.
func Counts(i int) uint64 {
	var n uint64
	for cpu := range counts {
		n += atomic.LoadUint64(&counts[cpu][i])
	}
	return n
}

// Name returns the name of call nr, "" for a number that Linux does not have. Callable from both worlds.
func Name(nr uint64) string { return names[slot(nr)] }

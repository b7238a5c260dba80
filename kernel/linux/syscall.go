package linux

import (
	"sync/atomic"

	"pdac/kernel/klog"
	"pdac/kernel/sched"
)

// Syscall answers the system call of task t: number in RAX, arguments in RDI, RSI, RDX, R10, R8 and R9 of its saved context, result
// (or negated error number) to RAX. When it returns the task may be parked, dead or on another CPU: the caller goes on with
// whatever sched.Leave gives.
//
// Preconditions: t is current on cpu, its context saved with RIP behind the SYSCALL instruction.
func Syscall(cpu int, t sched.ID) {
	c := &sched.Get(t).Ctx
	count(cpu, c.RAX)
	switch c.RAX { // what neither waits nor fails
	case nrGetpid:
		c.RAX = processID
		return
	case nrGetppid:
		c.RAX = 0
		return
	case nrGettid:
		c.RAX = uint64(t)
		return
	case nrSchedYield:
		c.RAX = 0
		sched.Yield(cpu, t)
		return
	}
	r := dispatch(cpu, t, c)
	if r == blocked {
		return
	}
	c.RAX = uint64(r)
	th := thread(t)
	th.resume, th.interrupted = 0, 0 // a call that ended is not run again
}

// dispatch runs the handler. The compiler makes a binary search of the switch, seven comparisons deep: the numbers are too far apart
// for a jump table.
func dispatch(cpu int, t sched.ID, c *sched.Context) int64 {
	switch c.RAX {
	// Memory.
	case nrMmap:
		return sysMmap(cpu, c)
	case nrMprotect:
		return sysMprotect(cpu, c)
	case nrMunmap:
		return sysMunmap(cpu, c)
	case nrBrk:
		return 0 // there is no break: 0 for any wish says so (the runtime asks on allocation failures of early boot only)
	case nrMincore:
		return sysMincore(cpu, c)
	case nrMadvise:
		return sysMadvise(cpu, c)
	case nrMlock, nrMunlock, nrMlockall, nrMunlockall, nrMlock2:
		return 0 // nothing is ever paged out

	// Signals.
	case nrRtSigaction:
		return sysSigaction(c)
	case nrRtSigprocmask:
		return sysSigprocmask(cpu, t, c)
	case nrRtSigreturn:
		return sysSigreturn(cpu, t, c)
	case nrRtSigpending:
		return sysSigpending(t, c)
	case nrSigaltstack:
		return sysSigaltstack(t, c)
	case nrKill:
		return sysKill(cpu, c)
	case nrTkill:
		return sysTkill(cpu, c)
	case nrTgkill:
		return sysTgkill(cpu, c)
	case nrRtTgsigqueueinfo:
		return sysTgsigqueueinfo(cpu, c)

	// Threads.
	case nrClone:
		return sysClone(cpu, t, c)
	case nrExit:
		return sysExit(cpu, t, c)
	case nrExitGroup:
		return sysExitGroup(cpu, c)
	case nrFutex:
		return sysFutex(cpu, t, c)
	case nrGetpgrp, nrGetsid, nrGetpgid:
		return processID
	case nrGetuid, nrGetgid, nrGeteuid, nrGetegid:
		return 0
	case nrSetTidAddress:
		thread(t).clearTID = c.RDI
		return int64(t)
	case nrPrctl:
		return sysPrctl(t, c)
	case nrArchPrctl:
		return sysArchPrctl(c)
	case nrSchedSetaffinity:
		return sysSetaffinity(cpu, t, c)
	case nrSchedGetaffinity:
		return sysGetaffinity(t, c)
	case nrGetcpu:
		return sysGetcpu(cpu, c)

	// Time.
	case nrNanosleep:
		return sysNanosleep(cpu, t, c)
	case nrClockNanosleep:
		return sysClockNanosleep(cpu, t, c)
	case nrClockGettime:
		return sysClockGettime(cpu, t, c)
	case nrClockGetres:
		return sysClockGetres(cpu, c)
	case nrGettimeofday:
		return sysGettimeofday(c)
	case nrTime:
		return sysTime(c)
	case nrTimes:
		return sysTimes(c)
	case nrGetrusage:
		return sysGetrusage(cpu, t, c)
	case nrTimerCreate:
		return sysTimerCreate(cpu, t, c)
	case nrTimerSettime:
		return sysTimerSettime(cpu, c)
	case nrTimerGettime:
		return sysTimerGettime(cpu, c)
	case nrTimerGetoverrun:
		return sysTimerGetoverrun(c)
	case nrTimerDelete:
		return sysTimerDelete(cpu, c)
	case nrSetitimer:
		return sysSetitimer(cpu, c)
	case nrGetitimer:
		return sysGetitimer(cpu, c)

	// The machine.
	case nrUname:
		return sysUname(c)
	case nrSysinfo:
		return sysSysinfo(c)
	case nrGetrlimit:
		return sysGetrlimit(c)
	case nrPrlimit64:
		return sysPrlimit(c)
	}
	return fileCall(cpu, t, c)
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

// Calls is how many counters there are.
const Calls = nrLimit

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

package linux

import "pdac/kernel/sched"

// Numbers of calls that only get as far as this file.
const (
	nrFdatasync = 75
	nrTruncate  = 76
	nrFtruncate = 77
	nrFchdir    = 81
	nrRename    = 82
	nrMkdir     = 83
	nrRmdir     = 84
	nrCreat     = 85
	nrLink      = 86
	nrUnlink    = 87
	nrSymlink   = 88
	nrChmod     = 90
	nrFchmod    = 91
	nrChown     = 92
	nrFchown    = 93
	nrLchown    = 94
	nrMkdirat   = 258
	nrMknodat   = 259
	nrFchownat  = 260
	nrUnlinkat  = 263
	nrRenameat  = 264
	nrLinkat    = 265
	nrSymlinkat = 266
	nrFchmodat  = 268
	nrUtimensat = 280
	nrRenameat2 = 316
)

// fileCall dispatches the calls on descriptors, files and events, and answers all
// that nobody knows.
func fileCall(cpu int, t sched.ID, c *sched.Context) int64 {
	switch c.RAX {
	// Reading and writing.
	case nrRead:
		return sysRead(cpu, t, c)
	case nrWrite:
		return sysWrite(cpu, t, c)
	case nrReadv, nrWritev:
		return sysVector(cpu, t, c, c.RAX == nrWritev)
	case nrPread64:
		return sysPread(cpu, t, c)
	case nrPwrite64:
		return sysPwrite(cpu, t, c)
	case nrLseek:
		return sysLseek(cpu, c.RDI, c.RSI, c.RDX)
	case nrIoctl:
		return sysIoctl(cpu, c.RDI, c.RSI, c.RDX)
	case nrFsync, nrFdatasync:
		return sysFsync(cpu, c.RDI)

	// Descriptors.
	case nrClose:
		return sysClose(cpu, c.RDI)
	case nrDup:
		return dupFrom(cpu, c.RDI, 0, 0)
	case nrDup2:
		return sysDup2(cpu, c.RDI, c.RSI)
	case nrDup3:
		return sysDup3(cpu, c.RDI, c.RSI, c.RDX)
	case nrFcntl:
		return sysFcntl(cpu, c.RDI, c.RSI, c.RDX)

	// The tree.
	case nrOpen:
		return sysOpenat(cpu, fdcwd, c.RDI, c.RSI)
	case nrOpenat:
		return sysOpenat(cpu, c.RDI, c.RSI, c.RDX)
	case nrGetdents64:
		return sysGetdents64(cpu, c.RDI, c.RSI, c.RDX)
	case nrStat:
		return sysNewfstatat(cpu, fdcwd, c.RDI, c.RSI, 0)
	case nrLstat:
		return sysNewfstatat(cpu, fdcwd, c.RDI, c.RSI, atSymlinkNofollow)
	case nrFstat:
		return sysFstat(cpu, c.RDI, c.RSI)
	case nrNewfstatat:
		return sysNewfstatat(cpu, c.RDI, c.RSI, c.RDX, c.R10)
	case nrReadlink:
		return sysReadlinkat(cpu, fdcwd, c.RDI, c.RSI, c.RDX)
	case nrReadlinkat:
		return sysReadlinkat(cpu, c.RDI, c.RSI, c.RDX, c.R10)
	case nrAccess:
		return sysFaccessat(cpu, fdcwd, c.RDI, c.RSI, 0)
	case nrFaccessat:
		return sysFaccessat(cpu, c.RDI, c.RSI, c.RDX, 0)
	case nrFaccessat2:
		return sysFaccessat(cpu, c.RDI, c.RSI, c.RDX, c.R10)
	case nrChdir:
		return sysChdir(cpu, c.RDI)
	case nrFchdir:
		return sysFchdir(cpu, c.RDI)
	case nrGetcwd:
		return sysGetcwd(cpu, c.RDI, c.RSI)
	case nrTruncate, nrRename, nrMkdir, nrRmdir, nrCreat, nrLink, nrUnlink, nrSymlink, nrChmod, nrChown, nrLchown,
		nrFchmod, nrFchown, nrMkdirat, nrMknodat, nrFchownat, nrUnlinkat, nrRenameat, nrLinkat, nrSymlinkat, nrFchmodat,
		nrUtimensat, nrRenameat2:
		return erofs
	case nrFtruncate:
		return einval // no file is ever open for writing

	// Events.
	case nrPipe:
		return sysPipe2(cpu, c.RDI, 0)
	case nrPipe2:
		return sysPipe2(cpu, c.RDI, c.RSI)
	case nrEventfd:
		return sysEventfd2(cpu, c.RDI, 0)
	case nrEventfd2:
		return sysEventfd2(cpu, c.RDI, c.RSI)
	case nrEpollCreate:
		if int32(c.RDI) <= 0 {
			return einval
		}
		return sysEpollCreate1(cpu, 0)
	case nrEpollCreate1:
		return sysEpollCreate1(cpu, c.RDI)
	case nrEpollCtl:
		return sysEpollCtl(cpu, c.RDI, c.RSI, c.RDX, c.R10)
	case nrEpollWait:
		return sysEpollWait(cpu, t, c, 0)
	case nrEpollPwait:
		return sysEpollWait(cpu, t, c, c.R8)
	case nrEpollPwait2:
		return sysEpollPwait2(cpu, t, c)
	case MapDevice:
		return sysMapDevice(cpu, c)
	case Crash:
		return *(*int64)(nil)
	case IRQWait:
		return sysIRQWait(cpu, t, c)

	case nrGetrandom:
		return sysGetrandom(cpu, c.RDI, c.RSI, c.RDX)
	}
	return unknown(c.RAX)
}

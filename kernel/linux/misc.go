package linux

import (
	"unsafe"

	"pdac/kernel/sched"
)

// utsField is the length of each string of struct utsname.
const utsField = 65

// utsname is struct new_utsname, the release being that of the Linux whose calls these are.
var utsname = [6]string{"Linux", "pdac", "6.1.0-pdac", "PDAC", "x86_64", "(none)"}

// sysUname is uname(buf).
func sysUname(c *sched.Context) int64 {
	var u [len(utsname) * utsField]byte
	for i := range utsname {
		copy(u[i*utsField:(i+1)*utsField-1], utsname[i])
	}
	if !copyOut(c.RDI, unsafe.Pointer(&u), uint64(len(u))) {
		return efault
	}
	return 0
}

// sysinfo is struct sysinfo.
type sysinfo struct {
	uptime                                int64
	loads                                 [3]uint64
	total, free, shared, buffer, swap, sw uint64
	procs, _                              uint16
	_                                     uint32
	totalHigh, freeHigh                   uint64
	unit                                  uint32
	_                                     uint32
}

// sysSysinfo is sysinfo(buf).
func sysSysinfo(c *sched.Context) int64 {
	s := sysinfo{uptime: int64(now() / second), procs: uint16(living.Load()), unit: 1}
	s.total, s.free = hooks.Memory()
	if !copyOut(c.RDI, unsafe.Pointer(&s), uint64(unsafe.Sizeof(s))) {
		return efault
	}
	return 0
}

// Resource limits (getrlimit(2)): what is not bounded by memory alone has a number.
const (
	rlimitNproc  = 6
	rlimitNofile = 7
	rlimits      = 16

	unlimited = ^uint64(0)
)

func limitOf(resource uint64) uint64 {
	switch resource {
	case rlimitNproc:
		return uint64(len(threads) - 1)
	case rlimitNofile:
		return uint64(len(fds))
	}
	return unlimited
}

// sysGetrlimit is getrlimit(resource, limit).
func sysGetrlimit(c *sched.Context) int64 {
	if c.RDI >= rlimits {
		return einval
	}
	return storePair(c.RSI, limitOf(c.RDI), limitOf(c.RDI))
}

// sysPrlimit is prlimit64(pid, resource, new, old). Limits stand: setting one succeeds only to what it is.
func sysPrlimit(c *sched.Context) int64 {
	if c.RDI != 0 && c.RDI != processID {
		return esrch
	}
	if c.RSI >= rlimits {
		return einval
	}
	l := limitOf(c.RSI)
	if c.RDX != 0 {
		cur, ok := load64(c.RDX)
		most, ok2 := load64(c.RDX + 8)
		if !ok || !ok2 {
			return efault
		}
		if cur > most {
			return einval
		}
		if cur != l || most != l {
			return eperm
		}
	}
	if c.R10 == 0 {
		return 0
	}
	return storePair(c.R10, l, l)
}

package linux

import (
	"unsafe"

	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// Memory calls: what mmap(2), munmap(2), mremap(2), mprotect(2), madvise(2) and mincore(2) ask, kernel/vm does.

// result is what a call returns for an error of vm.
func result(e vm.Errno) int64 { return -int64(e) }

// sysMmap is mmap(addr, length, prot, flags, fd, offset). There are no files to map: without MAP_ANONYMOUS it is ENODEV, or EBADF
// where there is no descriptor. ENOMEM also where the memory could not be used: see room.
func sysMmap(cpu int, c *sched.Context) int64 {
	if c.R10&vm.MapAnonymous == 0 {
		if int32(c.R8) < 0 {
			return ebadf
		}
		return enodev
	}
	if !room(c.RSI, c.RDX, c.R10) {
		return enomem
	}
	addr, e := vm.Map(cpu, c.RDI, c.RSI, c.RDX, c.R10)
	if e != 0 {
		return result(e)
	}
	return int64(addr)
}

func sysMunmap(cpu int, c *sched.Context) int64 { return result(vm.Unmap(cpu, c.RDI, c.RSI)) }

func sysMprotect(cpu int, c *sched.Context) int64 {
	return result(vm.Protect(cpu, c.RDI, c.RSI, c.RDX))
}

// sysMremap is mremap(old, old length, new length, flags, new). Shared memory is private here, so an old length of 0, which would map
// it twice, is refused as for private memory.
func sysMremap(cpu int, c *sched.Context) int64 {
	if c.RDX > c.RSI && !hooks.Room(c.RDX-c.RSI) {
		return enomem
	}
	addr, e := vm.Remap(cpu, c.RDI, c.RSI, c.RDX, c.R10, c.R8)
	if e != 0 {
		return result(e)
	}
	return int64(addr)
}

func sysMadvise(cpu int, c *sched.Context) int64 {
	return result(vm.Advise(cpu, c.RDI, c.RSI, uint64(uint32(c.RDX))))
}

// sysMincore is mincore(addr, length, vec): a byte for each page, bit 0 says whether it is there. The answer goes out in pieces.
func sysMincore(cpu int, c *sched.Context) int64 {
	addr, vec := c.RDI, c.RDX
	left := (c.RSI + vm.PageSize - 1) / vm.PageSize
	if !userRange(addr, c.RSI) {
		return enomem
	}
	var piece [64]byte
	for left != 0 {
		n := min(left, uint64(len(piece)))
		if e := vm.Resident(cpu, addr, piece[:n]); e != 0 {
			return result(e)
		}
		if !copyOut(vec, unsafe.Pointer(&piece), n) {
			return efault
		}
		addr, vec, left = addr+n*vm.PageSize, vec+n, left-n
	}
	if addr%vm.PageSize != 0 {
		return einval
	}
	return 0
}

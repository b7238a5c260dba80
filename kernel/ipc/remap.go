package ipc

import "syscall"

// Remap moves pages by mremap(2), in an image and on a host. It asks nobody whether the pages are the
// caller's: that is for who calls it.
//
// They must be private anonymous memory of one mapping. In between the move and the taking away of
// rights, the old range reads as zeros, and what is stored there is lost.
type Remap struct{}

// Flags of mremap(2) (Linux include/uapi/linux/mman.h).
const (
	mremapMayMove   = 1
	mremapFixed     = 2
	mremapDontUnmap = 4
)

// Move implements Pages. What is left behind is a mapping without rights, of which munmap is the
// release. Errors: those of mremap and mprotect.
func (r Remap) Move(at, n uintptr) (uintptr, error) {
	to, _, e := syscall.Syscall6(syscall.SYS_MREMAP, at, n, n, mremapMayMove|mremapDontUnmap, 0, 0)
	if e != 0 {
		return 0, e
	}
	if _, _, e := syscall.Syscall(syscall.SYS_MPROTECT, at, n, syscall.PROT_NONE); e != 0 {
		r.Restore(to, n, at)
		return 0, e
	}
	return to, nil
}

// Restore implements Pages. If the system has no memory for it the pages stay where they are,
// which nobody knows: they are lost, and what is at their old address still faults.
func (Remap) Restore(to, n, at uintptr) {
	syscall.Syscall6(syscall.SYS_MREMAP, to, n, n, mremapMayMove|mremapFixed, at, 0)
}

// Keep implements Pages. Pages are whose who knows where they are.
func (Remap) Keep(at, n uintptr) uintptr { return at }

// Free implements Pages.
func (Remap) Free(to, n uintptr) { syscall.Syscall(syscall.SYS_MUNMAP, to, n, 0) }

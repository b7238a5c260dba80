package linux

import (
	"unsafe"

	"pdac/kernel/sched"
)

// Vector registers in a signal frame: the XSAVE area as the trap saved it, and where it has more than FXSAVE's 512 bytes Linux's
// marks around it (struct _fpx_sw_bytes, arch/x86/include/uapi/asm/sigcontext.h), by which debuggers know what follows.

// xsaveLayout is what CPUID says of the XSAVE area; size 512 means FXSAVE. Set at boot.
var xsaveLayout struct {
	size     uint64 // bytes, without the closing mark
	features uint64 // XCR0

	base, stride uint64 // where the tasks' areas are
}

// xsaveArea is the address of task t's area.
func xsaveArea(t sched.ID) uint64 { return xsaveLayout.base + uint64(t)*xsaveLayout.stride }

func extended() bool { return xsaveLayout.size > fxsaveSize }

// XSAVE area (SDM vol. 1, 13.4). FXSAVE leaves bytes 464..511 to software.
const (
	fxsaveSize   = 512
	mxcsrOffset  = 24
	mxcsrReset   = 0x1f80 // all exceptions masked, round to nearest (SDM vol. 1, 10.2.3)
	swOffset     = 464
	headerOffset = 512
	headerSize   = 64

	magic1 = 0x46505853
	magic2 = 0x46505845
)

// swBytes is struct _fpx_sw_bytes.
type swBytes struct {
	magic1, extendedSize uint32
	features             uint64
	size                 uint32
	_                    [7]uint32
}

// pushVector copies the task's saved vector registers below sp and returns where.
func pushVector(c *sched.Context, sp uint64) (uint64, bool) {
	n := xsaveLayout.size
	if !extended() {
		sp = (sp - n) &^ 63
		return sp, copyOut(sp, kernelPtr(uintptr(c.XSave)), n)
	}
	sp = (sp - n - 4) &^ 63
	sw := swBytes{magic1: magic1, extendedSize: uint32(n + 4), features: xsaveLayout.features, size: uint32(n)}
	return sp, copyOut(sp, kernelPtr(uintptr(c.XSave)), n) &&
		copyOut(sp+swOffset, unsafe.Pointer(&sw), uint64(unsafe.Sizeof(sw))) &&
		store32(sp+n, magic2)
}

// popVector copies vector registers from user memory at a to the task's area. XRSTOR and FXRSTOR fault on reserved bits (SDM vol.
// 1, 13.8), so those are cleared; a frame without Linux's marks has the legacy registers only.
func popVector(c *sched.Context, a uint64) bool {
	area := kernelPtr(uintptr(c.XSave))
	if !copyIn(area, a, fxsaveSize) {
		return false
	}
	mxcsr := (*uint32)(unsafe.Add(area, mxcsrOffset))
	*mxcsr &= 0xffff
	if !extended() {
		return true
	}
	header := (*[headerSize / 8]uint64)(unsafe.Add(area, headerOffset))
	if (*swBytes)(unsafe.Add(area, swOffset)).magic1 != magic1 {
		*header = [headerSize / 8]uint64{3} // x87 and SSE
		return true
	}
	if !copyIn(unsafe.Pointer(header), a+headerOffset, xsaveLayout.size-headerOffset) {
		return false
	}
	*header = [headerSize / 8]uint64{header[0] & xsaveLayout.features}
	return true
}

package vm

import "sync/atomic"

// Mapped says whether the CPU could read the byte at va now: for a crash dump,
// which may not fault. It takes no lock and no section, and believes no entry:
// page tables may be what the crash destroyed.
func Mapped(va uint64) bool {
	_, ok := Frame(va)
	return ok
}

// Frame returns the number of the 4 KiB frame behind va, or false where nothing
// is mapped. Callable from both worlds, by the rules of Mapped: the answer may be
// out of date on return.
func Frame(va uint64) (frame uint32, ok bool) {
	if top := int64(va) >> 47; top != 0 && top != -1 {
		return 0, false // not canonical
	}
	t := frameOf(machine.Root)
	for shift := uint(topShift); ; shift -= 9 {
		if uint64(t) >= uint64(len(phys))/entries {
			return 0, false // no RAM there
		}
		v := atomic.LoadUint64(&table(t)[index(va, shift)])
		if v&pteP == 0 {
			return 0, false
		}
		if shift == ptShift || v&ptePS != 0 {
			return frameOf(v) + uint32(va&(1<<shift-1)>>ptShift), true
		}
		t = frameOf(v)
	}
}

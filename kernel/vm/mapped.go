package vm

import "sync/atomic"

// Mapped says whether the CPU could read the byte at va now: for a crash dump,
// which may not fault. It takes no lock and no section, and believes no entry:
// page tables may be what the crash destroyed.
func Mapped(va uint64) bool {
	if top := int64(va) >> 47; top != 0 && top != -1 {
		return false // not canonical
	}
	t := frameOf(machine.Root)
	for shift := uint(topShift); ; shift -= 9 {
		if uint64(t) >= uint64(len(phys))/entries {
			return false // no RAM there
		}
		v := atomic.LoadUint64(&table(t)[index(va, shift)])
		if v&pteP == 0 {
			return false
		}
		if shift == ptShift || v&ptePS != 0 {
			return true
		}
		t = frameOf(v)
	}
}

package vm

import "sync/atomic"

// Mapped says whether the CPU could read the byte at va now: for a crash dump,
// which may not fault. It takes no lock and no section, and believes no entry:
// page tables may be what the crash destroyed.
func Mapped(va uint64) bool {
	v, _ := leafAt(va)
	return v&pteP != 0
}

// Frame returns the number of the 4 KiB frame behind va, or false where nothing
// is mapped. Callable from both worlds, by the rules of Mapped: the answer may be
// out of date on return.
func Frame(va uint64) (frame uint32, ok bool) {
	v, shift := leafAt(va)
	if v == 0 {
		return 0, false
	}
	return frameOf(v) + uint32(va&(1<<shift-1)>>ptShift), true
}

// leafAt returns the entry of the page at va if it is present or sampled, else 0,
// and the shift of its level.
func leafAt(va uint64) (v uint64, shift uint) {
	if top := int64(va) >> 47; top != 0 && top != -1 {
		return 0, 0 // not canonical
	}
	t := frameOf(machine.Root)
	for shift = topShift; ; shift -= 9 {
		if uint64(t) >= uint64(len(phys))/entries {
			return 0, 0 // no RAM there
		}
		v = atomic.LoadUint64(&table(t)[index(va, shift)])
		if v&(pteP|pteSampled) == 0 {
			return 0, 0
		}
		if shift == ptShift || v&ptePS != 0 {
			return v, shift
		}
		t = frameOf(v)
	}
}

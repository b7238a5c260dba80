package vm

import "sync/atomic"

// Mapped says whether the CPU could read the byte at va now: for a crash dump,
// which may not fault. It takes no lock and no section.
func Mapped(va uint64) bool {
	if top := int64(va) >> 47; top != 0 && top != -1 {
		return false // not canonical
	}
	e, _ := lookup(va)
	return atomic.LoadUint64(e)&pteP != 0
}

package crash

import "unsafe"

// tables returns the linker's pc-line table, its size in bytes, and the address of the first instruction.
func tables() (pclntab unsafe.Pointer, size, text uintptr)

// moduleData is runtime.moduledata of Go 1.26, as far as it is needed here.
type moduleData struct {
	header uintptr
	_      [21]uintptr
	text   uintptr
	_      [17]uintptr
	gofunc uintptr
}

// lastmoduledatap points at the only module's data. The linker sets it, so it is there from the first instruction.
//
//go:linkname lastmoduledatap runtime.lastmoduledatap
var lastmoduledatap *moduleData

// Symbols returns the table of the running image.
func Symbols() (Table, bool) {
	p, n, text := tables()
	return Open(unsafe.Slice((*byte)(p), n), uint64(text), inlineTrees(uintptr(p), n, text))
}

// inlineTrees returns the offset of go:func.* in the table, which only the module data tells. If that isn't laid out as
// expected, it returns 0, and inlined functions go unnamed.
func inlineTrees(pclntab, size, text uintptr) uint64 {
	m := lastmoduledatap
	if m == nil || m.header != pclntab || m.text != text || m.gofunc < pclntab || m.gofunc-pclntab >= size {
		return 0
	}
	return uint64(m.gofunc - pclntab)
}

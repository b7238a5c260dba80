package board

import "unsafe"

// The image's .bss is RAM that the loader sets aside, used or not, and large
// variables make much of it: the entropy source in crypto/internal/fips140 has
// one of 32 MiB that hardly a program touches. So only the part with the
// kernel's own variables is mapped from the start. The frames of the rest go to
// the pools, and page faults back what is used.
//
// bssBorder, which nobody reads or writes, parts them: the linker sorts variables
// without pointers by size and puts them last, so that all behind its start are
// at least as large, which no variable of the kernel is. Kbuild checks this for
// each image.
var bssBorder [256 << 10]byte

// lazyBss returns the pages of the image that are backed when touched.
func lazyBss() (from, to uint64) {
	_, _, _, _, end := imageAddrs()
	from = (uint64(uintptr(unsafe.Pointer(&bssBorder))) + pageSize - 1) &^ (pageSize - 1)
	return from, (end + pageSize - 1) &^ (pageSize - 1)
}

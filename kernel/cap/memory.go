package cap

import (
	"fmt"
	"syscall"
	"unsafe"
)

// The table's memory comes from Config.Reserve, or from the system by the same calls on the host and
// in an image.
//
// What all CPUs read at random wants 2 MiB pages: with a million entries most of the time of a check
// is TLB misses. But a page has one place, and chunks by which several nodes grow lie in the same 2
// MiB. So on machines with several nodes pages are small and entries lie where they are used; with
// one node they are large, but for the first 2 MiB of an array, so that small tables stay small, and
// for arrays of which few elements are touched. (docs/HUGEPAGES.md has more on the choice.)

const hugePage = 2 << 20

// arena is what arrays are reserved from.
type arena struct {
	reserve func(bytes int) ([]byte, error) // nil: mmap
	oneNode bool
	err     error // the first
}

// How an array's elements will be touched.
const (
	dense  = true // all of them, from the front
	sparse = false
)

// reserve returns an array of elements without Go pointers, or nil after an error. Its memory is
// only reached by it and lives as long.
func reserve[T any](m *arena, n int, isDense bool) []T {
	if m.err != nil {
		return nil
	}
	var element T
	bytes := n * int(unsafe.Sizeof(element))
	from := m.reserve
	if from == nil {
		from = mmap
	}
	b, err := from(bytes)
	switch {
	case err != nil:
		m.err = fmt.Errorf("cap: reserving %d bytes: %w", bytes, err)
		return nil
	case len(b) < bytes:
		m.err = fmt.Errorf("cap: %d bytes reserved of %d", len(b), bytes)
		return nil
	}
	if m.reserve == nil && m.oneNode && isDense && bytes > hugePage {
		_ = syscall.Madvise(b[hugePage:], syscall.MADV_HUGEPAGE) // without it nothing is wrong
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// mmap reserves memory without backing any.
func mmap(bytes int) ([]byte, error) {
	return syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
}

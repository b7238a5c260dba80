package table

import "syscall"

// region is memory that can be given back: the next table is built soon.
type region struct{ reserved [][]byte }

// reserve does what kernel/cap does itself where there is one node: it reserves memory, of which all but the
// first 2 MiB may be backed by large pages.
func (r *region) reserve(bytes int) ([]byte, error) {
	const hugePage = 2 << 20
	m, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	r.reserved = append(r.reserved, m)
	if bytes > hugePage {
		_ = syscall.Madvise(m[hugePage:], syscall.MADV_HUGEPAGE) // as there: without it nothing is wrong
	}
	return m, nil
}

// Close gives the memory back. Nobody may use it any more.
func (r *region) Close() error {
	for _, m := range r.reserved {
		if err := syscall.Munmap(m); err != nil {
			return err
		}
	}
	return nil
}

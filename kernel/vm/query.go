package vm

import "sync/atomic"

// Questions about program memory, answered like faults: in a section, without
// a lock. The answer may be out of date on return, as with mincore(2).

// Resident says for each page of a range whether it has memory: result, one byte
// a page, 1 or 0 (mincore(2)). The pages are those from addr on, len(result) of
// them. result is the kernel's memory, not the program's.
//
// Errors: EINVAL for an unaligned address, ENOMEM when part of the range is not
// mapped.
func Resident(cpu int, addr uint64, result []byte) Errno {
	if addr&(PageSize-1) != 0 {
		return EINVAL
	}
	if len(result) == 0 {
		return 0
	}
	s, ok := pages(addr, uint64(len(result))*PageSize)
	if !ok {
		return ENOMEM
	}
	section := &cpus[cpu].section
	section.Enter()
	err := resident(s, result)
	section.Leave()
	return err
}

func resident(s span, result []byte) Errno {
	root := tree.top()
	for va := s.lo; va < s.hi; {
		n := find(root, va)
		if n == nil {
			return ENOMEM
		}
		for ; va < min(n.end, s.hi); va += PageSize {
			e, _ := lookup(va)
			in := byte(0)
			if atomic.LoadUint64(e) != 0 { // where tables are missing it is 0
				in = 1
			}
			result[(va-s.lo)>>ptShift] = in
		}
	}
	return 0
}

// Check says whether the program may read, or write, all of [va, va+n). Memory
// below 4 GiB, where its image lies, is judged by the page tables.
func Check(cpu int, va, n uint64, write bool) bool {
	if n == 0 {
		return true
	}
	end := va + n
	if end < va || end > UserEnd {
		return false
	}
	for ; va < min(end, UserMin); va = va&^(PageSize-1) + PageSize {
		e, _ := lookup(va)
		v := atomic.LoadUint64(e)
		if v&pteP == 0 && !lazy(va) || v&pteP != 0 && write && v&pteW == 0 {
			return false
		}
	}
	section := &cpus[cpu].section
	section.Enter()
	root := tree.top()
	for va < end {
		n := find(root, va)
		if n == nil || n.meta&protAll == 0 || write && n.meta&ProtWrite == 0 {
			break
		}
		va = n.end
	}
	section.Leave()
	return va >= end
}

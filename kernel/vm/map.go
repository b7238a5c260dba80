package vm

// The memory system calls. Arguments and results are those of Linux for private
// anonymous memory; shared means the same where nothing forks.

// pages rounds n up to whole pages and returns [addr, addr+n); false when that
// is not within the program's addresses, or is empty.
func pages(addr, n uint64) (span, bool) {
	n = (n + PageSize - 1) &^ (PageSize - 1)
	if n == 0 || n > UserEnd || addr < UserMin || addr > UserEnd-n {
		return span{}, false
	}
	return span{addr, addr + n}, true
}

// Map is mmap(2) of anonymous memory. It returns the address. A hint is
// followed if nothing is mapped there; otherwise the place is the highest that
// is free below userTop. Nothing is committed: to reserve more than there is, is
// fine, and costs the logarithm of the number of areas.
//
// Errors: EINVAL for no length, no type, or an unaligned MAP_FIXED; ENODEV
// without MAP_ANONYMOUS; EPERM for MAP_FIXED below 4 GiB, which is the kernel's
// as what lies below vm.mmap_min_addr is on Linux; EEXIST for
// MAP_FIXED_NOREPLACE; ENOMEM when the range is not in the program's half, no
// hole is large enough, there is no memory for tables, or for MAP_HUGETLB and
// MAP_32BIT, of which this system has none to give.
func Map(cpu int, addr, n, prot, flags uint64) (uint64, Errno) {
	typ := flags & mapType
	switch {
	case n == 0 || typ == 0 || typ > MapSharedValidate || flags&MapGrowsDown != 0:
		return 0, EINVAL
	case flags&MapAnonymous == 0:
		return 0, ENODEV
	case n > UserEnd || flags&(MapHugeTLB|Map32Bit) != 0:
		return 0, ENOMEM
	}
	fixed := flags&(MapFixed|MapFixedNoReplace) != 0
	if fixed && addr&(PageSize-1) != 0 {
		return 0, EINVAL
	}
	if fixed && addr < UserMin {
		return 0, EPERM
	}
	n = (n + PageSize - 1) &^ (PageSize - 1)

	addr = (addr + PageSize - 1) &^ (PageSize - 1) // Linux rounds a hint up
	s, ok := pages(addr, n)

	lock(cpu)
	var err Errno
	if !fixed && (!ok || occupied(s)) {
		s, ok = place(n)
	}
	a := area{start: s.lo, end: s.hi, attr: uint32(prot) & protAll}
	switch {
	case !ok:
		err = ENOMEM
	case !occupied(s):
		err = insert(cpu, a)
	case flags&MapFixedNoReplace != 0:
		err = EEXIST
	default:
		err = replace(cpu, s, a)
	}
	areasLock.Unlock()
	if err != 0 {
		return 0, err
	}
	if flags&(MapPopulate|MapLocked) != 0 {
		prefault(cpu, s, a.attr)
	}
	return s.lo, 0
}

// place finds room for n bytes, which 2 MiB pages can fill when n is a multiple.
func place(n uint64) (span, bool) {
	root := tree.top()
	if n&(HugeSize-1) == 0 {
		if at, ok := findGap(root, n+HugeSize-PageSize, userTop); ok {
			at = (at + HugeSize - PageSize) &^ (HugeSize - 1)
			return span{at, at + n}, true
		}
	}
	at, ok := findGap(root, n, userTop)
	if !ok {
		at, ok = findGap(root, n, UserEnd)
	}
	return span{at, at + n}, ok
}

func covered(s span) coverage {
	c := coverage{all: attrMask}
	cover(tree.top(), s.lo, s.hi, &c)
	return c
}

func occupied(s span) bool { return covered(s).areas != 0 }

// insert adds a where there is no area.
func insert(cpu int, a area) Errno {
	if !tree.reserve(cpu, 1) {
		return ENOMEM
	}
	l, r := tree.split(tree.top(), a.start)
	tree.commit(tree.link(l, a, r))
	return 0
}

// replace puts a in place of what is in s, and gives that back. Faults in it wait
// until this is done: a page installed earlier would be removed again.
func replace(cpu int, s span, a area) Errno {
	if !tree.reserve(cpu, 2) {
		return ENOMEM
	}
	h, ok := reserveSplits(cpu, s)
	if !ok {
		return ENOMEM
	}
	wait := a
	wait.attr |= areaBusy
	l, m, r := tree.cut(s)
	tree.discard(m)
	tree.commit(tree.join(l, wait, r))
	h.split(cpu, s)
	remove(cpu, s, span{})

	// The nodes that the first change retired are enough for the second.
	l, m, r = tree.cut(s)
	tree.discard(m)
	tree.commit(tree.link(l, a, r))
	return 0
}

// Unmap is munmap(2). Its pages, and the page tables that served nothing else,
// are free on return, and no CPU can reach them.
//
// Errors: EINVAL for an unaligned address, no length, or a range outside the
// program's half; ENOMEM when there is no memory to split an area or a page.
func Unmap(cpu int, addr, n uint64) Errno {
	s, ok := pages(addr, n)
	if !ok || addr&(PageSize-1) != 0 || n > UserEnd {
		return EINVAL
	}
	lock(cpu)
	err := unmap(cpu, s)
	areasLock.Unlock()
	return err
}

func unmap(cpu int, s span) Errno {
	if !occupied(s) {
		return 0
	}
	if !tree.reserve(cpu, 1) {
		return ENOMEM
	}
	h, ok := reserveSplits(cpu, s)
	if !ok {
		return ENOMEM
	}
	erase(cpu, s, h)
	return 0
}

// erase takes the areas of s away, splits the pages across its ends with h, and
// removes the pages.
//
// Preconditions: areasLock is held; nodes and h have been reserved.
func erase(cpu int, s span, h halves) {
	l, m, r := tree.cut(s)
	free := span{UserMin, UserEnd}
	if l != 0 {
		free.lo = node(l).hi
	}
	if r != 0 {
		free.hi = node(r).lo
	}
	tree.discard(m)
	tree.commit(tree.concat(l, r))
	h.split(cpu, s)
	remove(cpu, s, free)
}

// Protect is mprotect(2).
//
// Errors: EINVAL for an unaligned address or unknown bits in prot; ENOMEM when
// part of the range is not mapped, and nothing has changed then (Linux changes
// what comes before the hole), or there is no memory to split an area or a page.
func Protect(cpu int, addr, n, prot uint64) Errno {
	// PROT_SEM (8) has no effect, here as there.
	if addr&(PageSize-1) != 0 || prot&^(protAll|8) != 0 {
		return EINVAL
	}
	if n == 0 {
		return 0
	}
	s, ok := pages(addr, n)
	if !ok || n > UserEnd {
		return ENOMEM
	}
	lock(cpu)
	err := ENOMEM
	if c := covered(s); c.bytes == s.hi-s.lo {
		err = alter(cpu, s, c, change{clear: protAll, set: uint32(prot) & protAll})
	}
	areasLock.Unlock()
	return err
}

// prefault touches the pages of s on behalf of MAP_POPULATE, as far as memory goes.
func prefault(cpu int, s span, attr uint32) {
	code := uint64(0)
	if attr&ProtWrite != 0 {
		code = CodeWrite
	}
	for va := s.lo; va < s.hi; {
		if Fault(cpu, va, code) != Done {
			return
		}
		size := uint64(PageSize)
		if _, shift := lookup(va); shift == pdShift {
			size = HugeSize
		}
		va = va&^(size-1) + size
	}
}

package vm

import "sync/atomic"

// change is what mprotect, madvise and SetPolicy do to areas.
type change struct {
	clear, set uint32 // attributes
	nodes      uint64 // of the policy, if its mode is among them
}

func (c change) apply(a area) area {
	a.attr = a.attr&^c.clear | c.set
	if c.clear&areaMode != 0 {
		a.nodes = c.nodes
	}
	return a
}

// alter changes the areas of s, of which it contains what c says, and then their
// pages.
func alter(cpu int, s span, c coverage, ch change) Errno {
	if ch.clear&areaMode == 0 && c.any&ch.clear == ch.set && c.all&ch.clear == ch.set {
		return 0
	}
	if !tree.reserve(cpu, c.areas+2) {
		return ENOMEM
	}
	h, ok := reserveSplits(cpu, s)
	if !ok {
		return ENOMEM
	}
	l, m, r := tree.cut(s)
	m = tree.alter(m, ch)
	tree.commit(tree.concat(tree.concat(l, m), r))
	h.split(cpu, s)
	if ch.clear&protAll != 0 {
		protect(cpu, s, ch.set)
	}
	return 0
}

// alter returns tree i with ch applied to each area, and those that then are
// alike merged. Building it anew from a list makes at most one node an area.
func (t *areaTree) alter(i uint32, ch change) uint32 {
	var list nodeList
	t.flatten(i, ch, &list)
	return t.build(list.n, &list)
}

func (t *areaTree) flatten(i uint32, ch change, list *nodeList) {
	if i == 0 {
		return
	}
	n := t.take(i)
	t.flatten(n.left, ch, list)
	a := ch.apply(n.area())
	if last := node(list.last); list.n > 0 && last.end == a.start && last.area().same(a) {
		atomic.StoreUint64(&last.end, a.end)
	} else {
		list.pushLast(t.newNode(0, a, 0))
	}
	t.flatten(n.right, ch, list)
}

// build returns the tree of the first n areas of list, and takes them off it. No
// reader has seen the list's nodes: they are free at once.
func (t *areaTree) build(n uint32, list *nodeList) uint32 {
	if n == 0 {
		return 0
	}
	l := t.build(n/2, list)
	i := list.pop()
	a := node(i).area()
	t.free.push(i)
	t.n--
	r := t.build(n-n/2-1, list)
	return t.newNode(l, a, r)
}

// Advise is madvise(2). MADV_DONTNEED, and MADV_FREE which is the same here, give
// the pages back: the next access sees zeros. Page tables stay, since the areas
// do. MADV_HUGEPAGE and MADV_NOHUGEPAGE say which pages later faults install.
//
// Errors: EINVAL for an unaligned address, or advice that is unknown or (as on a
// Linux kernel built without it) not served; ENOMEM when part of the range is not
// mapped, after the rest was advised, or there is no memory to split an area. To
// give pages back never fails for lack of memory.
func Advise(cpu int, addr, n, advice uint64) Errno {
	var ch change
	switch advice {
	case AdviseNormal, AdviseRandom, AdviseSequential, AdviseWillNeed, AdviseDontFork, AdviseDoFork,
		AdviseDontDump, AdviseDoDump, AdviseKeepOnFork, AdviseWipeOnFork, AdviseCold, AdvisePageOut,
		AdviseDontNeed, AdviseFree:
	case AdviseHugePage:
		ch = change{clear: areaHuge | areaNoHuge, set: areaHuge}
	case AdviseNoHugePage:
		ch = change{clear: areaHuge | areaNoHuge, set: areaNoHuge}
	default:
		return EINVAL
	}
	if addr&(PageSize-1) != 0 {
		return EINVAL
	}
	if n == 0 {
		return 0
	}
	if n > UserEnd || addr+n < addr {
		return EINVAL
	}
	s, ok := pages(addr, n)
	if !ok {
		return ENOMEM
	}
	lock(cpu)
	c, size := covered(s), s.hi-s.lo
	var err Errno
	switch {
	case c.areas == 0:
	case advice == AdviseDontNeed || advice == AdviseFree:
		// Faults are not waited for: a page that one installs is as good as new.
		h, ok := reserveSplits(cpu, s)
		if ok {
			h.split(cpu, s)
		} else {
			s = clearEnds(s)
		}
		remove(cpu, s, span{})
	case ch.clear != 0:
		err = alter(cpu, s, c, ch)
	}
	areasLock.Unlock()
	if err == 0 && c.bytes != size {
		return ENOMEM
	}
	return err
}

// clearEnds clears what 2 MiB pages across the ends of s have in it, where there
// is no memory for the tables to split them. That reads as if it had been given
// back. It returns the rest of s.
//
// Precondition: areasLock is held.
func clearEnds(s span) span {
	if base := s.lo &^ (HugeSize - 1); base != s.lo {
		end := min(base+HugeSize, s.hi)
		if clearPart(span{s.lo, end}) {
			s.lo = end
		}
	}
	if base := s.hi &^ (HugeSize - 1); max(base, s.lo) < s.hi && clearPart(span{max(base, s.lo), s.hi}) {
		s.hi = max(base, s.lo)
	}
	return s
}

// clearPart clears part of a 2 MiB page; false if there is none.
func clearPart(s span) bool {
	e, shift := lookup(s.lo)
	v := atomic.LoadUint64(e)
	if shift != pdShift || v&ptePS == 0 {
		return false
	}
	first := frameOf(v) + uint32(s.lo&(HugeSize-1)>>ptShift)
	for i := range uint32((s.hi - s.lo) >> ptShift) {
		machine.Zero(first+i, false)
	}
	return true
}

package vm

import "sync/atomic"

// Splitting 2 MiB pages, and changing the protection of pages in place.

// halves are the tables put by for the 2 MiB pages across the two ends of a
// range: 0 is none. They are taken before anything changes, so that a lack of
// memory changes nothing.
type halves struct{ lo, hi uint32 }

// reserveSplits puts a table by for each end of s where a 2 MiB page could be,
// which lies in one area. It returns false when there is no memory for it.
func reserveSplits(cpu int, s span) (h halves, ok bool) {
	root := tree.top()
	if mayCross(root, s.lo) {
		if h.lo, ok = kernelFrame(cpu); !ok {
			return halves{}, false
		}
	}
	if mayCross(root, s.hi) && (h.lo == 0 || s.hi&^(HugeSize-1) != s.lo&^(HugeSize-1)) {
		if h.hi, ok = kernelFrame(cpu); !ok {
			if h.lo != 0 {
				machine.Free(cpu, h.lo, false)
			}
			return halves{}, false
		}
	}
	return h, true
}

// mayCross says whether a 2 MiB page can lie across at.
func mayCross(root uint32, at uint64) bool {
	base := at &^ (HugeSize - 1)
	if base == at {
		return false
	}
	n := find(root, at)
	return n != nil && n.start <= base && n.end-base >= HugeSize
}

// split splits the pages across the ends of s. What it does not need of h it
// gives back.
func (h halves) split(cpu int, s span) {
	if h.lo != 0 && !splitPage(cpu, s.lo, h.lo) {
		machine.Free(cpu, h.lo, false)
	}
	if h.hi != 0 && !splitPage(cpu, s.hi, h.hi) {
		machine.Free(cpu, h.hi, false)
	}
}

// splitPage replaces the 2 MiB page over va by 512 of 4 KiB in the table in
// frame t; it returns false when there is no such page.
//
// The old translation is shot down before the new one is there, since some CPUs
// raise a machine check when they hold translations of both sizes for an
// address (AMD family 10h erratum 383; Intel's "iTLB multihit"). Meanwhile the
// entry is busy and faults wait.
//
// Precondition: areasLock is held.
func splitPage(cpu int, va uint64, t uint32) bool {
	e, shift := lookup(va)
	if shift != pdShift || atomic.LoadUint64(e)&ptePS == 0 {
		return false
	}
	// A fault may be adding rights: exchange.
	v := atomic.SwapUint64(e, pteBusy)
	base := va &^ (HugeSize - 1)
	shoot(cpu, base, base+HugeSize, false)
	fillTable(t, v)
	atomic.StoreUint64(e, uint64(t)<<12|pteTable)
	cpus[cpu].tables.Add(1)
	return true
}

// fillTable makes the table in frame t of the parts of the 2 MiB page v. (A page
// of a page table has its PAT bit where v has PS: neither is ever set.)
func fillTable(t uint32, v uint64) {
	pt := table(t)
	for i := range pt {
		atomic.StoreUint64(&pt[i], v&^ptePS+uint64(i)<<ptShift)
	}
}

// protect gives the pages of s protection prot, and shoots down if that takes a
// right away. Adding one needs nothing: a CPU that has the old translation
// faults, and finds the new one.
//
// Preconditions: areasLock is held; the tree says so already and no fault sees
// another; pages across the ends of s have been split.
func protect(cpu int, s span, prot uint32) {
	if taken := setLeaves(frameOf(machine.Root), topShift, s, leaf(prot)); taken.lo < taken.hi {
		shoot(cpu, taken.lo, taken.hi, false)
	}
}

// setLeaves sets the bits of the pages of s in a table whose entries span
// 1<<shift each. It returns the range where rights were taken away.
func setLeaves(t uint32, shift uint, s span, bits uint64) (taken span) {
	taken = span{s.hi, s.lo}
	tab := table(t)
	size := uint64(1) << shift
	for at := s.lo; at < s.hi; at = at&^(size-1) + size {
		e := &tab[index(at, shift)]
		v := atomic.LoadUint64(e)
		if v == 0 {
			continue
		}
		lost := span{at &^ (size - 1), at&^(size-1) + size}
		if shift == ptShift || v&ptePS != 0 {
			// The store may undo what a fault has just added; it adds no more than
			// is in bits.
			atomic.StoreUint64(e, v&(pteFrame|ptePS)|bits)
			if v&pteP == 0 || v&^bits&(pteP|pteW) == 0 && bits&^v&pteNX == 0 {
				continue
			}
		} else {
			lost = setLeaves(frameOf(v), shift-9, span{at, min(s.hi, lost.hi)}, bits)
		}
		if lost.lo < lost.hi {
			taken.lo, taken.hi = min(taken.lo, lost.lo), max(taken.hi, lost.hi)
		}
	}
	return taken
}

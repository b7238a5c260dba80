package vm

import "sync/atomic"

// Moving pages to other addresses: their frames stay what they are, and nothing is copied.
//
// Faults in both ranges wait, as in what MAP_FIXED replaces: the areas are busy
// while the entries go, so none appears behind the walk. Each entry is gone from
// its old address before it is at the new one; the old translations are shot down
// at the end. Until then a CPU may use one, for a frame that is the program's
// before and after.
//
// All tables that the new range needs are made before an entry moves, so that a
// lack of memory is found in time. A 2 MiB page moves whole: both ranges lie in
// the same way in their 2 MiB.
//
// Rejected: moving whole page tables, which is faster for ranges of 2 MiB that
// 4 KiB pages fill, and there are few, since faults fill them with a 2 MiB page.

// Flags of mremap(2) (Linux include/uapi/linux/mman.h).
const (
	RemapMayMove   = 1
	RemapFixed     = 2
	RemapDontUnmap = 4

	remapFlags = RemapMayMove | RemapFixed | RemapDontUnmap
)

// Remap is mremap(2): it gives [addr, addr+n), a part of one area, the size m, and
// returns its address. It shrinks and, where nothing is behind, grows in place.
// Otherwise it moves to where there is room (RemapMayMove), or to `to`, in place of
// what is there (RemapFixed). With RemapDontUnmap it always moves, and the old
// range stays mapped as it was, but empty.
//
// Errors: EINVAL for an unaligned address, no size, a range outside the program's
// half, unknown flags or some that don't go together, a fixed range that overlaps
// the old one or (which Linux takes) lies in another way in its 2 MiB; EFAULT when
// the old range isn't in one area; ENOMEM when there is no room or no memory.
// Nothing has changed then, but that what was to be given up may be unmapped
// already: what is beyond the new size, and in a fixed range. (Linux does so too:
// its mremap_to unmaps both before it moves, and mremap(2) promises no more.)
func Remap(cpu int, addr, n, m, flags, to uint64) (uint64, Errno) {
	old, ok := pages(addr, n)
	size := (m + PageSize - 1) &^ (PageSize - 1)
	moves := flags &^ RemapMayMove
	switch {
	case !ok || addr&(PageSize-1) != 0 || n > UserEnd || m > UserEnd || size == 0,
		flags&^remapFlags != 0 || moves != 0 && flags&RemapMayMove == 0,
		flags&RemapDontUnmap != 0 && size != old.hi-old.lo:
		return 0, EINVAL
	}
	var fixed span
	if flags&RemapFixed != 0 {
		fixed, ok = pages(to, size)
		if !ok || (to^addr)&(HugeSize-1) != 0 || fixed.lo < old.hi && old.lo < fixed.hi {
			return 0, EINVAL
		}
	}
	lock(cpu)
	at, err := remap(cpu, old, size, flags, fixed)
	areasLock.Unlock()
	return at, err
}

func remap(cpu int, old span, size, flags uint64, to span) (uint64, Errno) {
	n := find(tree.top(), old.lo)
	if n == nil || n.end < old.hi {
		return 0, EFAULT
	}
	a, end := n.area(), old.lo+size
	moves := flags&^RemapMayMove != 0
	if end < old.hi {
		if err := unmap(cpu, span{end, old.hi}); err != 0 {
			return 0, err
		}
		old.hi = end
	}
	switch {
	case moves:
	case end == old.hi:
		return old.lo, 0
	case end <= UserEnd && !occupied(span{old.hi, end}):
		a.start, a.end = old.hi, end
		return old.lo, insert(cpu, a)
	case flags&RemapMayMove == 0:
		return 0, ENOMEM
	}
	if flags&RemapFixed != 0 {
		if err := unmap(cpu, to); err != 0 {
			return 0, err
		}
	} else {
		var ok bool
		if to, ok = placeLike(old.lo, size); !ok {
			return 0, ENOMEM
		}
	}
	return to.lo, move(cpu, a, old, to, flags&RemapDontUnmap != 0)
}

// placeLike finds room for n bytes that lies in its 2 MiB as at does.
func placeLike(at, n uint64) (span, bool) {
	const slack = HugeSize - PageSize
	lo, ok := findGap(tree.top(), n+slack, userTop)
	if !ok {
		lo, ok = findGap(tree.top(), n+slack, UserEnd)
	}
	lo += (at - lo) & (HugeSize - 1)
	return span{lo, lo + n}, ok
}

// move moves the pages of old, which lies in area a, to a place where nothing is
// mapped. keep: the old range stays mapped.
func move(cpu int, a area, old, to span, keep bool) Errno {
	// Four changes of the tree, each of which gives back what it takes, but for
	// three areas more at most, and the heights that they add.
	if !tree.reserve(cpu, 4*nodesPerLevel) {
		return ENOMEM
	}
	h, ok := reserveSplits(cpu, old)
	if !ok {
		return ENOMEM
	}
	wait := a
	wait.attr |= areaBusy
	tree.put(old, wait)
	tree.put(to, wait)
	h.split(cpu, old)
	if !makeTables(cpu, old, to.lo) {
		erase(cpu, to, halves{})
		tree.put(old, a)
		return ENOMEM
	}
	moveLeaves(frameOf(machine.Root), topShift, old, to.lo-old.lo)
	shoot(cpu, old.lo, old.hi, false)
	tree.put(to, a)
	if keep {
		tree.put(old, a)
	} else {
		erase(cpu, old, halves{})
	}
	return 0
}

// put puts a's attributes over s, whatever was there.
//
// Preconditions: areasLock is held; nodes have been reserved.
func (t *areaTree) put(s span, a area) {
	a.start, a.end = s.lo, s.hi
	l, m, r := t.cut(s)
	t.discard(m)
	t.commit(t.link(l, a, r))
}

// makeTables makes the tables at `to` that the pages of s need there. It returns
// false when there is no memory for one.
func makeTables(cpu int, s span, to uint64) bool {
	for at := s.lo; at < s.hi; {
		e, shift := lookup(at)
		ok := true
		switch {
		case shift == ptShift:
			shift = pdShift // all that the table spans
			_, _, ok = reach(cpu, to+at-s.lo, ptShift)
		case atomic.LoadUint64(e) != 0:
			_, _, ok = reach(cpu, to+at-s.lo, pdShift)
		}
		if !ok {
			return false
		}
		size := uint64(1) << shift
		at = at&^(size-1) + size
	}
	return true
}

// moveLeaves moves the entries for the pages of s by a distance, in a table whose
// entries span 1<<shift each.
func moveLeaves(t uint32, shift uint, s span, by uint64) {
	tab := table(t)
	size := uint64(1) << shift
	for at := s.lo; at < s.hi; at = at&^(size-1) + size {
		e := &tab[index(at, shift)]
		v := atomic.LoadUint64(e)
		switch {
		case v == 0:
		case shift == ptShift || v&ptePS != 0:
			atomic.StoreUint64(e, 0)
			to, level := lookup(at + by)
			if level != shift || atomic.LoadUint64(to) != 0 {
				panic("vm: a page table where nothing is mapped")
			}
			atomic.StoreUint64(to, v)
		default:
			moveLeaves(frameOf(v), shift-9, span{at, min(s.hi, at&^(size-1)+size)}, by)
		}
	}
}

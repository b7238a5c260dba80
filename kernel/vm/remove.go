package vm

import "sync/atomic"

// Removing pages, in batches: entries are emptied, one shootdown makes the
// frames unreachable, and only then they are given back. A frame cannot carry
// the list itself, since until the shootdown a CPU may still write to it.

// batchLen is the number of frames between shootdowns: enough to make the
// shootdown's cost disappear in the batch's.
const batchLen = 1024

// The kinds of frame in a batch, above the frame number.
const (
	batchHuge  = 1 << 32
	batchTable = 1 << 33
)

// batch is what a removal has gathered. Under areasLock, and empty outside.
type batch struct {
	frames [batchLen]uint64
	n      int
	lo, hi uint64 // where entries were emptied
	tables int
}

var removal batch

// span is a range of addresses.
type span struct{ lo, hi uint64 }

// remove takes the pages out of s and gives them back, and with them the tables
// of which nothing is left: those whose whole range lies in free, which no area
// reaches into.
//
// Preconditions: areasLock is held; pages across the ends of s have been split.
func remove(cpu int, s, free span) {
	b := &removal
	b.lo, b.hi = ^uint64(0), 0
	b.empty(cpu, frameOf(machine.Root), topShift, s, free)
	b.flush(cpu)
}

// empty empties the entries for s of a table whose entries span 1<<shift each.
func (b *batch) empty(cpu int, t uint32, shift uint, s, free span) {
	if shift == ptShift {
		b.emptyPT(cpu, t, s)
		return
	}
	tab := table(t)
	size := uint64(1) << shift
	for at := s.lo; at < s.hi; at = at&^(size-1) + size {
		e := &tab[index(at, shift)]
		v := atomic.LoadUint64(e)
		if v == 0 {
			continue
		}
		whole := span{at &^ (size - 1), at&^(size-1) + size}
		if v&ptePS != 0 {
			if whole.lo < s.lo || whole.hi > s.hi {
				// Pages across the ends were split, so a fault put this one there
				// since, which only Advise lets happen: it is new, and others may
				// already have stored in what is outside s.
				continue
			}
			atomic.StoreUint64(e, 0)
			stats.unmapped.Add(HugeSize / PageSize)
			b.add(cpu, uint64(frameOf(v))|batchHuge, whole)
			continue
		}
		b.empty(cpu, frameOf(v), shift-9, span{at, min(s.hi, whole.hi)}, free)
		if whole.lo >= free.lo && whole.hi <= free.hi {
			atomic.StoreUint64(e, 0)
			b.tables++
			// Any invalidation will do for a table.
			b.add(cpu, uint64(frameOf(v))|batchTable, span{at, at + PageSize})
		}
	}
}

// emptyPT does that for a page table. This is the loop that counts.
func (b *batch) emptyPT(cpu int, t uint32, s span) {
	pt := table(t)[index(s.lo, ptShift) : index(s.hi-1, ptShift)+1]
	if b.n+len(pt) > batchLen {
		b.flush(cpu)
	}
	n := b.n
	first, last := len(pt), 0
	for i := range pt {
		v := atomic.LoadUint64(&pt[i])
		if v == 0 {
			continue
		}
		atomic.StoreUint64(&pt[i], 0)
		b.frames[n] = v & pteFrame >> 12
		n++
		last = i
		first = min(first, i)
	}
	if n > b.n {
		stats.unmapped.Add(uint64(n - b.n))
		b.lo = min(b.lo, s.lo+uint64(first)<<ptShift)
		b.hi = max(b.hi, s.lo+uint64(last+1)<<ptShift)
		b.n = n
	}
}

// add notes a frame that was taken from s.
func (b *batch) add(cpu int, frame uint64, s span) {
	b.frames[b.n] = frame
	b.n++
	b.lo, b.hi = min(b.lo, s.lo), max(b.hi, s.hi)
	if b.n == batchLen {
		b.flush(cpu)
	}
}

// flush shoots the batch down and gives its frames back.
func (b *batch) flush(cpu int) {
	if b.n == 0 {
		return
	}
	shoot(cpu, b.lo, b.hi, b.tables > 0)
	// Neighbours in the program's memory often are in RAM, as they were allocated
	// one after the other.
	first, set := uint32(0), uint64(0)
	for _, f := range b.frames[:b.n] {
		if f&batchHuge != 0 {
			machine.Free(cpu, uint32(f), true)
			continue
		}
		at, bit := uint32(f)&^63, uint64(1)<<(f&63)
		if at == first && set&bit == 0 {
			set |= bit
			continue
		}
		if set != 0 {
			machine.FreeSet(cpu, first, set)
		}
		first, set = at, bit
	}
	if set != 0 {
		machine.FreeSet(cpu, first, set)
	}
	cpus[cpu].tables.Add(-int64(b.tables))
	b.lo, b.hi = ^uint64(0), 0
	b.n, b.tables = 0, 0
}

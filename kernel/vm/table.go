package vm

import (
	"sync/atomic"

	"pdac/kernel/numa"
)

// Page tables: four levels of 512 entries (Intel SDM volume 3, 4.5). The kernel
// reaches them through the direct map, by frame number.
//
// States of an entry, and who may change it:
//
//	0        -> present   anyone, by compare-and-swap: a fault, Populate
//	0        -> table     likewise; and then for good in the kernel's half
//	present <-> held      the holder of areasLock; a fault may go from either to
//	                      what its area allows, by compare-and-swap
//	present  -> sampled   the holder, by compare-and-swap: sample.go
//	sampled  -> present   a fault, by compare-and-swap; or the holder
//	sampled  -> held      the holder
//	present  -> busy      the holder, to split a 2 MiB page, or to give a page
//	                      another frame: faults wait. Of held and sampled the same
//	busy     -> table     the holder
//	busy     -> what it was but for the frame    the holder
//	any      -> 0         the holder, when no fault can be under way in the area
//	                      or a new page is as good as the old one (madvise)
//
// A held entry is one of mprotect(PROT_NONE): not present for the CPU, but it
// keeps its frame.
//
// Entries are made with A and D set. Nobody asks for them, and so the CPU never
// writes an entry: only the transitions above do.

const (
	pteP     = 1 << 0
	pteW     = 1 << 1
	ptePWT   = 1 << 3
	ptePCD   = 1 << 4
	pteA     = 1 << 5
	pteD     = 1 << 6
	ptePS    = 1 << 7 // 2 MiB page, in a page directory
	pteNX    = 1 << 63
	pteFrame = 0x000f_ffff_ffff_f000

	// pteBusy is the whole of a busy entry: software's, and not present.
	pteBusy = 1 << 9

	// pteSampled is software's too: the entry is a held one, so that the next
	// access tells its CPU.
	pteSampled = 1 << 10

	// pteTable is what an entry has that points to a table: the leaf decides.
	pteTable = pteP | pteW | pteA
)

const (
	entries = 512

	ptShift  = 12 // an entry of a page table spans 4 KiB
	pdShift  = 21 // of a page directory, 2 MiB
	topShift = 39
)

// leaf returns the bits of an entry for a page with protection prot.
func leaf(prot uint32) uint64 {
	if prot == 0 {
		return pteNX | pteA | pteD
	}
	bits := uint64(pteP | pteA | pteD)
	if prot&ProtWrite != 0 {
		bits |= pteW
	}
	if prot&ProtExec == 0 {
		bits |= pteNX
	}
	return bits
}

// kernelFrame takes a frame for a page table, or for the kernel's arrays.
func kernelFrame(cpu int) (frame uint32, ok bool) {
	return machine.Alloc(cpu, numa.Policy{}, 0, false)
}

func frameOf(e uint64) uint32 { return uint32(e & pteFrame >> 12) }

// table returns the entries of the page table in a frame.
func table(frame uint32) []uint64 {
	return phys[uint64(frame)*entries:][:entries:entries]
}

func index(va uint64, shift uint) uint64 { return va >> (shift & 63) & (entries - 1) }

// pte returns the entry for va, of those that span 1<<shift each, in the table
// that entry t points to, or whose physical address t is.
func pte(t, va uint64, shift uint) *uint64 {
	return &phys[t&pteFrame>>3+index(va, shift)]
}

// lookup returns the lowest entry on the way to va, and the shift of its level:
// ptShift, pdShift, or higher when tables are missing. It creates nothing.
func lookup(va uint64) (e *uint64, shift uint) {
	v := machine.Root
	for shift = topShift; ; shift -= 9 {
		e = pte(v, va, shift)
		if shift == ptShift {
			return e, shift
		}
		if v = atomic.LoadUint64(e); v&(pteP|ptePS) != pteP {
			return e, shift
		}
	}
}

// reach returns the entry for va at the level of shift, making the tables on
// the way. It stops at a level above when a larger page or a busy entry is
// there: then ok is true and the level returned differs. ok is false when there
// is no memory for a table.
func reach(cpu int, va uint64, to uint) (e *uint64, shift uint, ok bool) {
	v := machine.Root
	for shift = topShift; ; shift -= 9 {
		e = pte(v, va, shift)
		if shift == to {
			return e, shift, true
		}
		if v = atomic.LoadUint64(e); v == 0 {
			if v = grow(cpu, e); v == 0 {
				return e, shift, false
			}
		}
		if v&(pteP|ptePS) != pteP {
			return e, shift, true
		}
	}
}

// grow puts a table of empty entries into the empty entry e, unless another CPU
// does so first. It returns what is there, or 0 when there is no memory.
func grow(cpu int, e *uint64) uint64 {
	t, ok := kernelFrame(cpu)
	if !ok {
		return 0
	}
	machine.Zero(t, false)
	v := uint64(t)<<12 | pteTable
	for !atomic.CompareAndSwapUint64(e, 0, v) {
		// Another CPU's 2 MiB page may be gone again: that is no lack of memory.
		if there := atomic.LoadUint64(e); there != 0 {
			machine.Free(cpu, t, false)
			return there
		}
	}
	cpus[cpu].tables.Add(1)
	return v
}

package vm

import (
	"sync/atomic"
	"unsafe"

	"pdac/kernel/numa"
)

// Faults ahead: a program that goes through fresh memory, as an allocator does,
// takes one fault for aheadPages pages. Only the first of a run is told apart from
// a lone touch, by the page before it, so that sparse memory stays sparse: a run
// costs at most aheadPages-1 pages that nobody may ever touch. Each comes from where
// the policy wants it, as by a fault of its own.
//
// Rejected: filling the whole group around any fault, which gives each thread's
// stacks, touched at one end, four pages for one; more pages at once, which
// saves another tenth and empties the first-level cache by zeroing.

// aheadPages is the pages of a group, a power of 2. Runs end at a group's end.
const aheadPages = 4

// ahead backs the pages behind that of va, which was just installed, as far as they
// are of its group, below end and untouched, if the page before it is there. e is
// va's entry, bits and end are the area's, which begins below va's page.
//
// Nobody waits for these pages: see Config.Spare. What makes a fault's own page
// right (fault.go) makes them so, since they are of the same area, page table and section.
func ahead(cpu int, p numa.Policy, e *uint64, va, end, bits uint64) {
	i := index(va, ptShift)
	if i == 0 || atomic.LoadUint64(beside(e, -1))&(pteP|pteSampled) == 0 {
		return
	}
	for i, va = i+1, va&^(PageSize-1)+PageSize; i%aheadPages != 0 && va < end; i, va = i+1, va+PageSize {
		e = beside(e, 1)
		if atomic.LoadUint64(e) != 0 {
			return
		}
		frame, ok := machine.Spare(cpu, p, va>>ptShift)
		if !ok {
			return
		}
		machine.Zero(frame, false)
		if !atomic.CompareAndSwapUint64(e, 0, uint64(frame)<<12|bits) {
			machine.Free(cpu, frame, false)
			return
		}
		cpus[cpu].faults4K.Add(1)
	}
}

// beside returns the entry n entries behind e, in the same table.
func beside(e *uint64, n int) *uint64 {
	return (*uint64)(unsafe.Add(unsafe.Pointer(e), n*8))
}

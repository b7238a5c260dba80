package vm

import "sync/atomic"

// The kernel's own mappings. Their page tables are never freed, and the frames
// are not counted as the program's.

// Flags of MapKernel. None of them is read-only and no-execute.
const (
	KernelWrite    = 1 << iota
	KernelExec     // executable
	KernelUncached // device memory
	KernelNone     // not mapped: a guard
)

// Populate backs [va, va+n), rounded out to pages, of a kernel virtual array
// with zeroed frames where it is not backed yet. Returns false when there is no
// memory for all of it; what was backed stays. Any number of CPUs may populate the
// same range at once. Lock-free.
func Populate(cpu int, va, n uint64) bool {
	for end := va + n; va < end; va = va&^(PageSize-1) + PageSize {
		e, shift, ok := reach(cpu, va, ptShift)
		if !ok {
			return false
		}
		if shift != ptShift || atomic.LoadUint64(e) != 0 {
			continue
		}
		frame, ok := kernelFrame(cpu)
		if !ok {
			return false
		}
		machine.Zero(frame, false)
		if !atomic.CompareAndSwapUint64(e, 0, uint64(frame)<<12|leaf(ProtRead|ProtWrite)) {
			machine.Free(cpu, frame, false)
			continue
		}
		cpus[cpu].backed.Add(1)
	}
	return true
}

// MapKernel maps [va, va+n) to physical memory from pa, whatever was there. It
// splits 2 MiB pages, and uses them where both addresses are aligned and no
// smaller ones were in use. All of va, pa and n are multiples of 4 KiB. Frames that
// were mapped are not freed. Returns false when there is no memory for a table, or
// the range is in a 1 GiB page.
//
// Precondition: as for Fault.
func MapKernel(cpu int, va, pa, n, flags uint64) bool {
	if (va|pa|n)&(PageSize-1) != 0 {
		panic("vm: MapKernel of part of a page")
	}
	bits := uint64(0)
	if flags&KernelNone == 0 {
		prot := uint32(ProtRead)
		if flags&KernelWrite != 0 {
			prot |= ProtWrite
		}
		if flags&KernelExec != 0 {
			prot |= ProtExec
		}
		bits = leaf(prot)
		if flags&KernelUncached != 0 {
			bits |= ptePCD | ptePWT // entry 3 of the PAT at reset: UC
		}
	}
	lock(cpu)
	ok := mapKernel(cpu, span{va, va + n}, pa, bits)
	areasLock.Unlock()
	return ok
}

func mapKernel(cpu int, s span, pa, bits uint64) bool {
	changed := span{s.hi, s.lo}
	va := s.lo
	for va < s.hi {
		e, shift, ok := reach(cpu, va, pdShift)
		if !ok || shift != pdShift {
			break
		}
		v := atomic.LoadUint64(e)
		size, to := uint64(PageSize), pa|bits
		if (va|pa)&(HugeSize-1) == 0 && s.hi-va >= HugeSize && (v == 0 || v&ptePS != 0) {
			size, to = HugeSize, pa|bits|ptePS
		} else {
			if v&ptePS != 0 {
				if !splitKernel(cpu, e, v) {
					break
				}
				changed = span{min(changed.lo, va&^(HugeSize-1)), va | (HugeSize - 1)}
			}
			if e, _, ok = reach(cpu, va, ptShift); !ok {
				break
			}
		}
		if bits == 0 {
			to = 0
		}
		if atomic.SwapUint64(e, to) != 0 {
			changed = span{min(changed.lo, va), max(changed.hi, va+size)}
		}
		va, pa = va+size, pa+size
	}
	if changed.lo < changed.hi {
		// An idle CPU runs on these too, before it leaves the idle state.
		shoot(cpu, changed.lo, changed.hi, true)
	}
	return va >= s.hi
}

// splitKernel puts a table of 4 KiB pages in place of the 2 MiB page v at e. This
// code or its stack may be in that page, so unlike splitPage it cannot take the
// page away in between. MapKernel does this at boot, before other CPUs run.
func splitKernel(cpu int, e *uint64, v uint64) bool {
	t, ok := kernelFrame(cpu)
	if !ok {
		return false
	}
	fillTable(t, v)
	atomic.StoreUint64(e, uint64(t)<<12|pteTable)
	cpus[cpu].tables.Add(1)
	return true
}

package vm

import "sync/atomic"

// Page faults, without a lock.
//
// Clements, Kaashoek and Zeldovich, "Scalable address spaces using RCU balanced
// trees" (ASPLOS 2012), with a persistent tree in place of their bounded one.
//
// Invariant: when no fault is under way and no operation holds areasLock, every
// entry of the program's half that is not 0 lies in an area and says what that
// allows, and every 2 MiB page lies in one area. A fault keeps this because the
// tree that it read is current, or the operation that replaced it waits for the
// section to end before it looks at entries. (madvise(DONTNEED) does not change
// the tree and does not wait: a page installed meanwhile is a new one.)
//
// Who writes each word: see table.go. A frame is zeroed before the
// compare-and-swap that makes it visible.
//
// Linearization point: the compare-and-swap, or the load that found the entry.
//
// Reclamation: a page table is freed only after its area was unmapped, so the
// section keeps it. A frame is freed only after a shootdown.
//
// Progress: lock-free; except that in the range of a MAP_FIXED under way, or in
// a 2 MiB page that is being split, the program faults again until that is done.

// Outcome is how a page fault ended.
type Outcome int

const (
	Done     Outcome = iota // the access can be tried again
	MapErr                  // nothing is mapped there: SEGV_MAPERR
	AccErr                  // the protection forbids it: SEGV_ACCERR
	NoMemory                // no frame was free

	// busy is Done, after helping what it must wait for.
	busy
)

// Bits of the error code of #PF (Intel SDM volume 3, 4.7).
const (
	CodePresent = 1 << 0 // 0: the page was not present
	CodeWrite   = 1 << 1
	CodeFetch   = 1 << 4
)

// Fault resolves the page fault of an access to va; code is the error code that
// the CPU pushed. The kernel's own accesses to program memory come here too.
//
// Preconditions: interrupts off; the CPU holds no lock of this package.
func Fault(cpu int, va, code uint64) Outcome {
	if va-UserMin >= UserEnd-UserMin {
		return faultOutside(cpu, va, code)
	}
	section := &cpus[cpu].section
	section.Enter()
	out := resolve(cpu, va, code)
	section.Leave()
	if out == busy {
		Poll(cpu)
		return Done
	}
	return out
}

// faultOutside resolves a fault outside the program's areas: in the image, the
// kernel, or nothing. None of it comes by a fault but the image's lazy part.
func faultOutside(cpu int, va, code uint64) Outcome {
	switch {
	case code&CodePresent != 0:
		return AccErr
	case !lazy(va):
		return MapErr
	case !Populate(cpu, va, 1):
		return NoMemory
	}
	return Done
}

// lazy says whether va is in the part of the image that faults back.
func lazy(va uint64) bool { return va-machine.LazyMin < machine.LazyEnd-machine.LazyMin }

func resolve(cpu int, va, code uint64) Outcome {
	n := find(tree.top(), va)
	if n == nil {
		return MapErr
	}
	attr := n.meta
	if attr&areaBusy != 0 {
		return busy
	}
	need := uint32(protAll)
	if code&CodeWrite != 0 {
		need = ProtWrite
	} else if code&CodeFetch != 0 {
		need = ProtExec
	}
	if attr&need == 0 {
		return AccErr
	}

	bits := leaf(attr & protAll)
	e, shift := lookup(va)
	if shift > pdShift { // rare: there are few tables of 1 GiB and up
		var ok bool
		if e, shift, ok = reach(cpu, va, pdShift); !ok {
			return NoMemory
		}
	}
	v := atomic.LoadUint64(e)
	if v == 0 && shift == pdShift {
		base := va &^ (HugeSize - 1)
		if base >= n.start && n.end-base >= HugeSize && wantHuge(attr) {
			if frame, ok := machine.Alloc(cpu, effective(cpu, n.policy()), va>>pdShift, true); ok {
				machine.Zero(frame, true)
				if atomic.CompareAndSwapUint64(e, 0, uint64(frame)<<12|bits|ptePS) {
					cpus[cpu].faults2M.Add(1)
				} else {
					machine.Free(cpu, frame, true)
				}
				return Done
			}
		}
		if v = grow(cpu, e); v == 0 {
			return NoMemory
		}
	}
	if v == pteBusy {
		return busy
	}
	if v&ptePS == 0 && shift == pdShift {
		e = pte(v, va, ptShift)
		if v = atomic.LoadUint64(e); v == pteBusy {
			return busy
		}
	}
	if v != 0 {
		// Another CPU was first, or our TLB was behind; or mprotect is under way
		// and has got as far as the tree. A fault only adds rights: what takes
		// them away must see that they were there, and shoot down.
		want := (v&^pteSampled|bits)&^pteNX | v&bits&pteNX
		if v != want && atomic.CompareAndSwapUint64(e, v, want) && v&pteSampled != 0 {
			sampled(cpu, v)
		}
		return Done
	}
	p := effective(cpu, n.policy())
	frame, ok := machine.Alloc(cpu, p, va>>ptShift, false)
	if !ok {
		return NoMemory
	}
	machine.Zero(frame, false)
	if !atomic.CompareAndSwapUint64(e, 0, uint64(frame)<<12|bits) {
		machine.Free(cpu, frame, false)
		return Done
	}
	cpus[cpu].faults4K.Add(1)
	if va&^(PageSize-1) > n.start {
		ahead(cpu, p, e, va, n.end, bits)
	}
	return Done
}

// wantHuge says whether an area with these attributes gets 2 MiB pages.
func wantHuge(attr uint32) bool {
	switch HugeMode(hugeMode.Load()) {
	case HugeAlways:
		return attr&areaNoHuge == 0
	case HugeMadvise:
		return attr&areaHuge != 0
	}
	return false
}

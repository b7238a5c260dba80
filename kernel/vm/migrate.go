package vm

import (
	"sync/atomic"

	"pdac/kernel/numa"
)

// Moving pages to other nodes: another frame, the same address.
//
// In batches: the entries become busy, so that faults wait; one shootdown, after which nobody can write
// to the old frames; then their contents are copied, the entries get what they were with the new frame,
// and the old frames go home. A CPU that uses an old translation until the shootdown uses the frame that
// is still the page's.
//
// A fault that waits acknowledges shootdowns (Fault), so the holder always goes on. How long an access
// can wait is a batch: moveLen pages of 4 KiB, or one of 2 MiB.
//
// Rejected: read-only entries instead of busy ones, so that readers need not wait during the copy: a
// second shootdown, for a wait of microseconds.

// moveLen is the number of pages between shootdowns; a 2 MiB page is a batch of its own.
const moveLen = 32

// migration is what is under way. Under areasLock, and empty outside.
type migration struct {
	at     [moveLen]uint64 // addresses
	was    [moveLen]uint64 // their entries
	to     [moveLen]uint32 // new frames
	n      int
	lo, hi uint64
	failed bool // a page stayed on a node that the policy does not name
}

var moving migration

// migrate moves the pages of s that lie on nodes which p does not name to where p wants them. It returns
// false if one stays where it shouldn't, for lack of memory there.
//
// Preconditions: areasLock is held; 2 MiB pages across the ends of s have been split; the areas have p.
func migrate(cpu int, s span, p numa.Policy) bool {
	m := &moving
	m.reset()
	m.failed = false
	for at := s.lo; at < s.hi; {
		e, shift := lookup(at)
		if v := atomic.LoadUint64(e); isPage(v, shift) && !named(p, machine.NodeOf(frameOf(v))) {
			m.move(cpu, p, at, e, shift, machine.NodeOf(frameOf(v)))
		}
		at = at&^(1<<shift-1) + 1<<shift
	}
	m.flush(cpu)
	return !m.failed
}

// move begins to move the page at an address, whose entry is e, from a node.
func (m *migration) move(cpu int, p numa.Policy, at uint64, e *uint64, shift uint, from uint8) {
	huge := shift == pdShift
	at &^= 1<<shift - 1
	to, ok := machine.Alloc(cpu, effective(cpu, p), at>>shift, huge)
	anywhere := p.In(machine.Memory) == 0
	if !ok {
		m.failed = true
		return
	}
	if node := machine.NodeOf(to); node == from || !anywhere && !named(p, node) {
		machine.Free(cpu, to, huge)
		m.failed = m.failed || !anywhere
		return
	}
	m.at[m.n], m.to[m.n] = at, to
	m.was[m.n] = atomic.SwapUint64(e, pteBusy) // a fault may be adding rights
	m.n++
	m.lo, m.hi = min(m.lo, at), max(m.hi, at+1<<shift)
	if huge || m.n == moveLen {
		m.flush(cpu)
	}
}

// flush ends the moves under way.
func (m *migration) flush(cpu int) {
	if m.n == 0 {
		return
	}
	shoot(cpu, m.lo, m.hi, false)
	for i := range m.n {
		was, to := m.was[i], m.to[i]
		huge := was&ptePS != 0
		copyFrame(to, frameOf(was), huge)
		e, _ := lookup(m.at[i])
		atomic.StoreUint64(e, was&^pteFrame|uint64(to)<<12)
		machine.Free(cpu, frameOf(was), huge)
		cpus[cpu].migrated.Add(pagesOf(huge))
	}
	m.reset()
}

func (m *migration) reset() {
	m.n, m.lo, m.hi = 0, ^uint64(0), 0
}

// pagesOf returns the size of a page in units of 4 KiB.
func pagesOf(huge bool) uint64 {
	if huge {
		return HugeSize / PageSize
	}
	return 1
}

// copyFrame copies a page through the direct map.
func copyFrame(to, from uint32, huge bool) {
	n := entries * pagesOf(huge)
	copy(phys[uint64(to)*entries:][:n], phys[uint64(from)*entries:][:n])
}

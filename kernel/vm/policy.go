package vm

import (
	"sync/atomic"

	"pdac/kernel/numa"
)

// Policies of placement, by area. A policy is part of an area's attributes (tree.go): it is cut, moved
// and merged with the area, and neighbours with different ones stay apart. A fault goes by the area's,
// or if that is Default by the task's.
//
// Interleave goes by the address and not by the offset in the area: what an area was cut from does not
// matter then, nor which page is touched first. (Linux counts from vm_pgoff, which for private
// anonymous memory is the address at which it was mapped: the two differ after mremap.)
//
// Bind is strict: a page that finds no frame in the policy's nodes has none, and the access is out of
// memory as where all nodes are full (Linux calls its killer). Page tables are the kernel's, and come
// from the CPU's node whatever the policy.

// Flags of SetPolicy, mbind(2)'s (Linux include/uapi/linux/mempolicy.h).
const (
	PolicyStrict  = 1 << 0 // MPOL_MF_STRICT
	PolicyMove    = 1 << 1 // MPOL_MF_MOVE
	PolicyMoveAll = 1 << 2 // MPOL_MF_MOVE_ALL: nobody shares pages here, and so the same

	policyMoves = PolicyMove | PolicyMoveAll
	policyFlags = PolicyStrict | policyMoves
)

// SetPolicy is mbind(2): p decides where pages of [addr, addr+n) come from that are touched from now on.
// p is one of numa.NewPolicy's.
//
// With PolicyMove, pages that lie on other nodes than p's move (migrate.go), to where p would have put
// them. With PolicyStrict it is an error if there are some that don't, or, where they are not to be
// moved, if there are any.
//
// Errors: EINVAL for an unaligned address, unknown flags, or a range that wraps around; EFAULT when part
// of the range is not mapped (for Default, which may go over holes, all of it); EIO for PolicyStrict,
// before anything has changed or, with PolicyMove, after all that could; ENOMEM when there is no memory
// to split an area or a page.
func SetPolicy(cpu int, addr, n uint64, p numa.Policy, flags uint64) Errno {
	n = (n + PageSize - 1) &^ (PageSize - 1)
	switch {
	case flags&^policyFlags != 0, addr&(PageSize-1) != 0, addr+n < addr:
		return EINVAL
	case n == 0:
		return 0
	}
	if p.Mode == numa.Default {
		flags &^= PolicyStrict
	}
	// What is beyond the program's half is a hole.
	s := span{max(addr, UserMin), min(addr+n, UserEnd)}
	if s.lo >= s.hi || p.Mode != numa.Default && s.hi-s.lo != n {
		return EFAULT
	}
	lock(cpu)
	err := setPolicy(cpu, s, p, flags)
	areasLock.Unlock()
	return err
}

func setPolicy(cpu int, s span, p numa.Policy, flags uint64) Errno {
	c := covered(s)
	if c.areas == 0 || p.Mode != numa.Default && c.bytes != s.hi-s.lo {
		return EFAULT
	}
	if flags&policyFlags == PolicyStrict && strays(s, p) {
		return EIO
	}
	if err := alter(cpu, s, c, change{clear: areaMode, set: uint32(p.Mode) << modeShift, nodes: p.Nodes}); err != 0 {
		return err
	}
	if flags&policyMoves != 0 && !migrate(cpu, s, p) && flags&PolicyStrict != 0 {
		return EIO
	}
	return 0
}

// effective returns the policy that pages of an area with policy p come by, for a fault on cpu.
func effective(cpu int, p numa.Policy) numa.Policy {
	if p.Mode == numa.Default && machine.TaskPolicy != nil {
		return machine.TaskPolicy(cpu)
	}
	return p
}

// strays says whether a page of s lies on a node that p does not name. As on Linux, Local names none.
//
// Precondition: areasLock is held.
func strays(s span, p numa.Policy) bool {
	for at := s.lo; at < s.hi; {
		e, shift := lookup(at)
		if v := atomic.LoadUint64(e); isPage(v, shift) && !named(p, machine.NodeOf(frameOf(v))) {
			return true
		}
		at = at&^(1<<shift-1) + 1<<shift
	}
	return false
}

// isPage says whether v, an entry that lookup found at a level, is a page's.
func isPage(v uint64, shift uint) bool {
	return v != 0 && (shift == ptShift || v&ptePS != 0)
}

// named says whether p names a node.
func named(p numa.Policy, node uint8) bool { return p.In(machine.Memory)>>node&1 != 0 }

// PolicyAt returns the policy of the area that va is in, without regard to a task's. The image has none:
// Default. EFAULT: nothing is mapped there.
func PolicyAt(cpu int, va uint64) (numa.Policy, Errno) {
	if va < UserMin && (Mapped(va) || lazy(va)) {
		return numa.Policy{}, 0
	}
	section := &cpus[cpu].section
	section.Enter()
	var p numa.Policy
	err := EFAULT
	if n := find(tree.top(), va); n != nil {
		p, err = n.policy(), 0
	}
	section.Leave()
	return p, err
}

// NodeAt returns the node of the page at va, which it first brings in as a load would. EFAULT: the
// program may not read there. ENOMEM: there is no memory for it.
//
// Preconditions: those of Fault.
func NodeAt(cpu int, va uint64) (node uint8, err Errno) {
	for {
		if frame, ok := Frame(va); ok {
			return machine.NodeOf(frame), 0
		}
		switch Fault(cpu, va, 0) {
		case Done:
		case NoMemory:
			return 0, ENOMEM
		default:
			return 0, EFAULT
		}
	}
}

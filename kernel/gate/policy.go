package gate

import (
	"syscall"
	"unsafe"

	"pdac/kernel/numa"
	"pdac/kernel/space"
)

// Which node memory comes from: by a policy of the memory, or else of the task that touches it first.

// Policy says which nodes pages come from when they are first touched. Nodes has a bit for each node.
type Policy = numa.Policy

// Modes of a Policy. All but PolicyBind take memory of other nodes, the nearest first, where those that
// they name have none.
const (
	PolicyDefault    = numa.Default       // none: memory has its task's, a task PolicyLocal, or its home node
	PolicyPreferred  = numa.Preferred     // one node: the first of several
	PolicyBind       = numa.Bind          // the nearest of the nodes; if they are full the access ends as where all memory is used up
	PolicyInterleave = numa.Interleave    // the nodes in turn, page by page
	PolicyLocal      = numa.Local         // the node of the CPU
	PolicyNearest    = numa.PreferredMany // the nearest of the nodes, then others
)

// MemoryPolicy gives whole pages that the caller's space has mapped or received a policy. With move, those
// that were touched already and lie on other nodes than it names move. id has Write.
//
// Errors: of id; *ArgumentError, for a policy of nodes that have no memory too; ErrStay, when all is done
// that could be; ErrMemory; ErrMissing.
func MemoryPolicy(id ID, b []byte, p Policy, move bool) error {
	t, _, err := enter(memoryPolicy, id)
	if err != nil {
		return err
	}
	defer t.Release()
	if !known(p) {
		return memoryPolicy.bad("p", wantPolicy)
	}
	flags := uintptr(0)
	if move {
		flags = mpolMove | mpolStrict
	}
	at, n := addressOf(b), uintptr(len(b))
	addresses.Lock()
	defer addresses.Unlock()
	if addresses.find(at, n, space.Get()) < 0 {
		return memoryPolicy.bad("b", "whole pages that the caller's space has mapped")
	}
	return memoryPolicy.refused(mempolicy(syscall.SYS_MBIND, at, n, p, flags))
}

// TaskPolicy gives the calling task a policy, for memory without one, and the tasks that it starts from
// then on. The caller is locked to its thread (runtime.LockOSThread), and ends without unlocking it, or
// sets PolicyDefault before. id has Write.
//
// Errors: of id; *ArgumentError; ErrMissing.
func TaskPolicy(id ID, p Policy) error {
	t, _, err := enter(taskPolicy, id)
	if err != nil {
		return err
	}
	defer t.Release()
	if !known(p) {
		return taskPolicy.bad("p", wantPolicy)
	}
	return taskPolicy.refused(mempolicy(syscall.SYS_SET_MEMPOLICY, 0, 0, p, 0))
}

// Placement is where memory is.
type Placement struct {
	Bytes     []uint64 // by node
	Untouched uint64   // bytes that are nowhere yet
}

// MemoryPlacement tells where whole pages are that the caller's space has mapped or received. id has
// Read.
//
// Errors: of id; *ArgumentError; ErrMissing.
func MemoryPlacement(id ID, b []byte) (Placement, error) {
	t, _, err := enter(memoryPlacement, id)
	if err != nil {
		return Placement{}, err
	}
	defer t.Release()
	at, n := addressOf(b), uintptr(len(b))
	if !addresses.has(at, n, space.Get()) {
		return Placement{}, memoryPlacement.bad("b", "whole pages that the caller's space has mapped")
	}
	if core.nodes == 0 || core.nodeOf == nil {
		return Placement{}, memoryPlacement.fail(ErrMissing)
	}
	r := Placement{Bytes: make([]uint64, core.nodes)}
	for end := at + n; at < end; at += pageSize {
		if node, ok := core.nodeOf(at); ok {
			r.Bytes[node] += pageSize
		} else {
			r.Untouched += pageSize
		}
	}
	return r, nil
}

const wantPolicy = "a mode, with nodes that have memory where it takes any"

// known says whether p is one of the modes above. Of what nodes, the Linux call says.
func known(p Policy) bool { return p.Mode <= numa.PreferredMany }

// Flags of mbind(2) (Linux include/uapi/linux/mempolicy.h).
const (
	mpolStrict = 1
	mpolMove   = 2
)

// mempolicy is mbind(2) or set_mempolicy(2), whose modes are package numa's.
func mempolicy(nr, at, n uintptr, p Policy, flags uintptr) syscall.Errno {
	const bits = 64 + 1 // Linux takes one less than it is told
	var e syscall.Errno
	if nr == syscall.SYS_MBIND {
		_, _, e = syscall.Syscall6(nr, at, n, uintptr(p.Mode), uintptr(unsafe.Pointer(&p.Nodes)), bits, flags)
	} else {
		_, _, e = syscall.Syscall(nr, uintptr(p.Mode), uintptr(unsafe.Pointer(&p.Nodes)), bits)
	}
	return e
}

// refused names the error of a Linux call about policies.
func (c call) refused(e syscall.Errno) error {
	switch e {
	case 0:
		return nil
	case syscall.EIO:
		return c.fail(ErrStay)
	case syscall.ENOMEM:
		return c.fail(ErrMemory)
	case syscall.ENOSYS:
		return c.fail(ErrMissing)
	}
	return c.bad("p", wantPolicy)
}

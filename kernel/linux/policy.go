package linux

import (
	"math/bits"
	"sync/atomic"

	"pdac/kernel/numa"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// Memory policies: mbind(2), set_mempolicy(2) and get_mempolicy(2), as a Linux with CONFIG_NODES_SHIFT=6, without cpusets and without
// automatic balancing answers them (mm/mempolicy.c), where an area is one of vm's. What differs:
//
//   - MPOL_WEIGHTED_INTERLEAVE and MPOL_F_NUMA_BALANCING are EINVAL, as on a kernel older than they are.
//   - Interleave goes by addresses (vm, policy.go). For a task's policy get_mempolicy(MPOL_F_NODE) therefore always names its first
//     node.
//   - MPOL_MF_STRICT goes by what a policy means, where Linux goes by the nodes that were given: it differs for MPOL_PREFERRED of
//     several nodes and MPOL_F_RELATIVE_NODES.
//   - The image is no area: its policy is the default, and mbind of it is EFAULT.
//
// A task's policy is inherited by the threads that it starts. Those of the Go runtime start each other: a goroutine that sets one is
// locked to its thread, and stays so.

// placement is the part of a thread that says where its memory comes from. The policy is written by the thread itself, whose faults
// read it on the same CPU. All is atomic for who looks at it from elsewhere, and may see a policy in parts.
type placement struct {
	mode  atomic.Uint32 // numa.Mode
	nodes atomic.Uint64
}

var (
	nnodes      int
	memoryNodes uint64
)

// inherit begins a new thread's: whatever an earlier one of its number left is overwritten.
func (p *placement) inherit(from *placement) {
	p.set(from.policy())
}

func (p *placement) set(to numa.Policy) {
	p.mode.Store(uint32(to.Mode))
	p.nodes.Store(to.Nodes)
}

func (p *placement) policy() numa.Policy {
	return numa.Policy{Mode: numa.Mode(p.mode.Load()), Nodes: p.nodes.Load()}
}

// MemoryPolicy returns the policy that task t's faults go by: its own or, if that is Default and t has a home node, to prefer that. A home
// without memory is nobody's first choice: then it is the CPU's node. Callable from both worlds.
func MemoryPolicy(t sched.ID) numa.Policy {
	p := &thread(t).placement
	if mode := numa.Mode(p.mode.Load()); mode != numa.Default {
		return numa.Policy{Mode: mode, Nodes: p.nodes.Load()}
	}
	if home, ok := sched.HomeOf(t); ok && memoryNodes>>home&1 != 0 {
		return numa.Policy{Mode: numa.Preferred, Nodes: 1 << home}
	}
	return numa.Policy{}
}

// Modes and flags of the calls (Linux include/uapi/linux/mempolicy.h). The modes are package numa's.
const (
	mpolStatic   = 1 << 15 // MPOL_F_STATIC_NODES
	mpolRelative = 1 << 14 // MPOL_F_RELATIVE_NODES

	mpolNode        = 1 << 0 // get_mempolicy's MPOL_F_NODE
	mpolAddr        = 1 << 1
	mpolMemsAllowed = 1 << 2
)

// modeOf turns a mode with flags into numa's. False: there is no such, or the flags exclude each other.
func modeOf(arg uint32) (m numa.Mode, ok bool) {
	base := arg &^ (mpolStatic | mpolRelative)
	m = numa.Mode(base)
	if arg&mpolStatic != 0 {
		m |= numa.Static
	}
	if arg&mpolRelative != 0 {
		m |= numa.Relative
	}
	return m, base <= uint32(numa.PreferredMany) && arg&(mpolStatic|mpolRelative) != mpolStatic|mpolRelative
}

// modeArg is the reverse.
func modeArg(m numa.Mode) uint32 {
	arg := uint32(m.Base())
	if m&numa.Static != 0 {
		arg |= mpolStatic
	}
	if m&numa.Relative != 0 {
		arg |= mpolRelative
	}
	return arg
}

// loadNodes reads a set of nodes at mask, of one bit less than maxnode, as Linux's get_nodes does: bits beyond the last possible node must be 0,
// in whole words.
func loadNodes(mask, maxnode uint64) (nodes uint64, r int64) {
	const maxBits = vm.PageSize * 8
	n := maxnode - 1
	if n == 0 || mask == 0 {
		return 0, 0
	}
	if n > maxBits {
		return 0, einval
	}
	for ; n > numa.MaxNodes; n = max(n-64, numa.MaxNodes) {
		v, ok := load64(mask + (n-1)/64*8)
		if !ok {
			return 0, efault
		}
		if v != 0 {
			return 0, einval
		}
	}
	nodes, ok := load64(mask)
	if !ok {
		return 0, efault
	}
	return nodes & (^uint64(0) >> (64 - n)), 0
}

// storeNodes writes a set of nodes, as Linux's copy_nodes_to_user does.
func storeNodes(mask, maxnode, nodes uint64) int64 {
	const word = numa.MaxNodes / 8
	n := (maxnode - 1 + 63) &^ 63 / 8
	switch {
	case n > vm.PageSize:
		return einval
	case n == 0:
		return 0
	case n > word && !zeroUser(mask+word, n-word), !store64(mask, nodes):
		return efault
	}
	return 0
}

// sysMbind is mbind(addr, length, mode, nodes, maxnode, flags).
func sysMbind(cpu int, c *sched.Context) int64 {
	mode, ok := modeOf(uint32(c.RDX))
	if !ok {
		return einval
	}
	nodes, r := loadNodes(c.R10, c.R8)
	if r != 0 {
		return r
	}
	p, ok := numa.NewPolicy(mode, nodes, memoryNodes)
	if !ok && (c.RSI+vm.PageSize-1)&^(vm.PageSize-1) != 0 { // of no memory any policy is good
		return einval
	}
	return result(vm.SetPolicy(cpu, c.RDI, c.RSI, p, uint64(uint32(c.R9))))
}

// sysSetMempolicy is set_mempolicy(mode, nodes, maxnode).
func sysSetMempolicy(t sched.ID, c *sched.Context) int64 {
	mode, ok := modeOf(uint32(c.RDI))
	if !ok {
		return einval
	}
	nodes, r := loadNodes(c.RSI, c.RDX)
	if r != 0 {
		return r
	}
	p, ok := numa.NewPolicy(mode, nodes, memoryNodes)
	if !ok {
		return einval
	}
	thread(t).placement.set(p)
	return 0
}

// sysGetMempolicy is get_mempolicy(mode, nodes, maxnode, addr, flags).
func sysGetMempolicy(cpu int, t sched.ID, c *sched.Context) int64 {
	out, mask, maxnode, addr, flags := c.RDI, c.RSI, c.RDX, c.R10, c.R8
	if mask != 0 && maxnode < uint64(nnodes) {
		return einval
	}
	value, nodes, r := memPolicy(cpu, t, addr, flags)
	if r != 0 {
		return r
	}
	if out != 0 && !store32(out, value) {
		return efault
	}
	if mask != 0 {
		return storeNodes(mask, maxnode, nodes)
	}
	return 0
}

// memPolicy is what sysGetMempolicy has to tell.
func memPolicy(cpu int, t sched.ID, addr, flags uint64) (value uint32, nodes uint64, r int64) {
	switch {
	case flags == mpolMemsAllowed:
		return 0, memoryNodes, 0
	case flags&^(mpolNode|mpolAddr) != 0, flags&mpolAddr == 0 && addr != 0:
		return 0, 0, einval
	}
	p := thread(t).placement.policy()
	if flags&mpolAddr != 0 {
		var e vm.Errno
		if p, e = vm.PolicyAt(cpu, addr); e != 0 {
			return 0, 0, result(e)
		}
	}
	value = modeArg(p.Mode)
	switch {
	case flags == mpolNode|mpolAddr:
		node, e := vm.NodeAt(cpu, addr)
		if e != 0 {
			return 0, 0, result(e)
		}
		value = uint32(node)
	case flags == mpolNode:
		if p.Mode.Base() != numa.Interleave {
			return 0, 0, einval
		}
		value = uint32(bits.TrailingZeros64(p.In(memoryNodes)))
	}
	return value, p.Nodes, 0
}

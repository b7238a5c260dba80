package linux

import (
	"unsafe"

	"pdac/kernel/sched"
)

// altStack is stack_t: the stack for handlers with SA_ONSTACK (sigaltstack(2)). size 0 is none.
type altStack struct {
	base  uint64
	flags uint32 // as user memory has it; the kernel computes it anew
	_     uint32
	size  uint64
}

const (
	ssOnStack = 1
	ssDisable = 2

	// minStackSize is MINSIGSTKSZ of x86-64.
	minStackSize = 2048
)

// holds says whether sp is on the stack.
func (s *altStack) holds(sp uint64) bool { return sp > s.base && sp-s.base <= s.size }

// state is the stack as a program sees it that runs at sp.
func (s *altStack) state(sp uint64) altStack {
	v := altStack{base: s.base, size: s.size}
	if s.size == 0 {
		v.flags = ssDisable
	} else if s.holds(sp) {
		v.flags = ssOnStack
	}
	return v
}

// set makes n the stack of a thread that runs at sp.
func (s *altStack) set(n *altStack, sp uint64) int64 {
	if s.holds(sp) {
		return eperm
	}
	switch n.flags {
	case ssDisable:
		*s = altStack{}
		return 0
	case 0, ssOnStack: // Linux takes the second for the first
	default:
		return einval
	}
	if n.size < minStackSize {
		return enomem
	}
	*s = altStack{base: n.base, size: n.size}
	return 0
}

func sysSigaltstack(t sched.ID, c *sched.Context) int64 {
	s := &thread(t).altStack
	old := s.state(c.RSP)
	if c.RDI != 0 {
		var n altStack
		if !copyIn(unsafe.Pointer(&n), c.RDI, uint64(unsafe.Sizeof(n))) {
			return efault
		}
		if e := s.set(&n, c.RSP); e != 0 {
			return e
		}
	}
	if c.RSI != 0 && !copyOut(c.RSI, unsafe.Pointer(&old), uint64(unsafe.Sizeof(old))) {
		return efault
	}
	return 0
}

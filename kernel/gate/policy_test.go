package gate

import (
	"errors"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"pdac/kernel/numa"
)

// policyOf asks the host for the policy of memory or, for nil, of the calling thread.
func policyOf(t *testing.T, b []byte) Policy {
	t.Helper()
	var mode int32
	var nodes [16]uint64 // of as many nodes as a host may have
	at, flags := uintptr(0), uintptr(0)
	if b != nil {
		at, flags = addressOf(b), 2 // MPOL_F_ADDR
	}
	_, _, e := syscall.Syscall6(syscall.SYS_GET_MEMPOLICY, uintptr(unsafe.Pointer(&mode)), uintptr(unsafe.Pointer(&nodes)), 1024, at, flags, 0)
	if e != 0 {
		t.Fatal("get_mempolicy:", e)
	}
	return Policy{Mode: numa.Mode(mode), Nodes: nodes[0]}
}

// hostPolicies ends the test where the host has none.
func hostPolicies(t *testing.T) {
	if _, _, e := syscall.Syscall6(syscall.SYS_GET_MEMPOLICY, 0, 0, 0, 0, 0, 0); e == syscall.ENOSYS {
		t.Skip("this host's kernel has no memory policies")
	}
}

func TestMemoryPolicy(t *testing.T) {
	hostPolicies(t)
	b := openGate(t)
	id := b.root.Memory
	area := must(MemoryMap(id, 4*pageSize))
	bind := Policy{Mode: PolicyBind, Nodes: 1}
	ok(t, MemoryPolicy(id, area[pageSize:][:pageSize], bind, false))
	if p := policyOf(t, area[pageSize:]); p != bind {
		t.Errorf("policy %+v", p)
	}
	if p := policyOf(t, area); p != (Policy{}) {
		t.Errorf("the page before has %+v", p)
	}
	area[pageSize] = 1
	ok(t, MemoryPolicy(id, area, Policy{Mode: PolicyInterleave, Nodes: 1}, true))
	ok(t, MemoryPolicy(id, area, Policy{}, false))

	for name, call := range map[string]func() error{
		"no such mode":    func() error { return MemoryPolicy(id, area, Policy{Mode: 6, Nodes: 1}, false) },
		"a flag":          func() error { return MemoryPolicy(id, area, Policy{Mode: PolicyBind | numa.Static, Nodes: 1}, false) },
		"no nodes":        func() error { return MemoryPolicy(id, area, Policy{Mode: PolicyBind}, false) },
		"no such node":    func() error { return MemoryPolicy(id, area, Policy{Mode: PolicyBind, Nodes: 1 << 63}, false) },
		"part of a page":  func() error { return MemoryPolicy(id, area[1:], bind, false) },
		"beyond":          func() error { return MemoryPolicy(id, memory(addressOf(area), 5*pageSize), bind, false) },
		"nothing":         func() error { return MemoryPolicy(id, nil, bind, false) },
		"Go's heap":       func() error { return MemoryPolicy(id, make([]byte, 1<<20), bind, false) },
		"of a task":       func() error { return TaskPolicy(b.root.Task, Policy{Mode: PolicyLocal, Nodes: 1}) },
		"placement, none": func() error { return just(MemoryPlacement(id, nil)) },
	} {
		if bad := (*ArgumentError)(nil); !errors.As(call(), &bad) {
			t.Errorf("%s: error %v", name, call())
		}
	}
	want(t, memoryPolicy.refused(syscall.EIO), ErrStay)
	want(t, memoryPolicy.refused(syscall.ENOMEM), ErrMemory)
	want(t, memoryPolicy.refused(syscall.ENOSYS), ErrMissing)

	// What another space has.
	home := must(NewSpace(b.root.Spaces, Authority{}))
	ok(t, Run(home, func() {
		if bad := (*ArgumentError)(nil); !errors.As(MemoryPolicy(id, area, bind, false), &bad) {
			t.Error("a space sets the policy of another's memory")
		}
	}))
}

func TestTaskPolicy(t *testing.T) {
	hostPolicies(t)
	b := openGate(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	bind := Policy{Mode: PolicyBind, Nodes: 1}
	ok(t, TaskPolicy(b.root.Task, bind))
	if p := policyOf(t, nil); p != bind {
		t.Errorf("policy %+v", p)
	}
	ok(t, TaskPolicy(b.root.Task, Policy{}))
	if p := policyOf(t, nil); p != (Policy{}) {
		t.Errorf("policy %+v", p)
	}
}

func TestMemoryPlacement(t *testing.T) {
	b := openGate(t)
	area := must(MemoryMap(b.root.Memory, 8*pageSize))
	p := must(MemoryPlacement(b.root.Memory, area))
	if len(p.Bytes) != 2 || p.Bytes[0] != 4*pageSize || p.Bytes[1] != 2*pageSize || p.Untouched != 2*pageSize {
		t.Errorf("%+v", p)
	}
	core.nodeOf = nil
	want(t, just(MemoryPlacement(b.root.Memory, area)), ErrMissing)
}

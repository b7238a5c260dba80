package linux

import (
	"testing"

	"pdac/kernel/numa"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

const (
	policyAt = 0xc0_0000_0000

	mpolDefault    = uint64(numa.Default)
	mpolPreferred  = uint64(numa.Preferred)
	mpolBind       = uint64(numa.Bind)
	mpolInterleave = uint64(numa.Interleave)
	mpolLocal      = uint64(numa.Local)
)

func (m *machine) mapPages(pages uint64) {
	m.Helper()
	m.want(policyAt, nrMmap, policyAt, pages*vm.PageSize, vm.ProtRead|vm.ProtWrite, vm.MapPrivate|vm.MapAnonymous, ^uint64(0), 0)
}

// nodeAt asks get_mempolicy, which brings the page in.
func (m *machine) nodeAt(page uint64) uint64 {
	m.Helper()
	out, at := words(1)
	m.want(0, nrGetMempolicy, at, 0, 0, policyAt+page*vm.PageSize, mpolNode|mpolAddr)
	return out[0]
}

func TestTaskPolicy(t *testing.T) {
	m := boot(t, 1)
	m.mapPages(16)
	nodes, at := words(2)
	out, outAt := words(2)
	get := func(wantMode, wantNodes uint64) {
		t.Helper()
		out[0], out[1] = 0, ^uint64(0)
		m.want(0, nrGetMempolicy, outAt, outAt+8, 64, 0, 0)
		if out[0] != wantMode || out[1] != wantNodes {
			t.Errorf("policy %#x of %#b, want %#x of %#b", out[0], out[1], wantMode, wantNodes)
		}
	}
	get(mpolDefault, 0)
	for _, c := range []struct {
		mode, nodes         uint64
		want                int64
		gotMode, gotNodes   uint64
		nodeOfTwo, nodeNext uint64 // of two pages in a row
	}{
		{mpolBind, 0b100, 0, mpolBind, 0b100, 2, 2},
		{mpolBind, 0b010, einval, mpolBind, 0b100, 2, 2},
		{mpolInterleave, 0b111, 0, mpolInterleave, 0b101, 0, 2},
		{mpolPreferred | mpolStatic, 0b110, 0, mpolPreferred | mpolStatic, 0b110, 2, 2},
		{mpolBind | mpolRelative, 0b10, 0, mpolBind | mpolRelative, 0b10, 2, 2},
		{mpolBind | mpolRelative | mpolStatic, 0b10, einval, mpolBind | mpolRelative, 0b10, 2, 2},
		{mpolLocal, 0, 0, mpolLocal, 0, 0, 0},
		{6, 0b101, einval, mpolLocal, 0, 0, 0},            // MPOL_WEIGHTED_INTERLEAVE
		{2 | 1<<13, 0b101, einval, mpolLocal, 0, 0, 0},    // MPOL_F_NUMA_BALANCING
		{1<<32 | mpolBind, 4, 0, mpolBind, 0b100, 2, 2},   // an int
		{mpolPreferred, 0, 0, mpolLocal, 0, 0, 0},         // says so
		{mpolPreferred, 0b111, 0, mpolPreferred, 1, 0, 0}, // keeps the first
		{mpolDefault, 0, 0, mpolDefault, 0, 0, 0},
	} {
		nodes[0] = c.nodes
		m.want(c.want, nrSetMempolicy, c.mode, at, 65)
		get(c.gotMode, c.gotNodes)
		if a, b := m.nodeAt(4), m.nodeAt(5); a != c.nodeOfTwo || b != c.nodeNext {
			t.Errorf("mode %#x of %#b: pages on nodes %d and %d, want %d and %d", c.mode, c.nodes, a, b, c.nodeOfTwo, c.nodeNext)
		}
		m.want(0, nrMadvise, policyAt, 16*vm.PageSize, vm.AdviseDontNeed)
	}
}

// TestAreaPolicy: the area's goes before the task's, and get_mempolicy tells them apart.
func TestAreaPolicy(t *testing.T) {
	m := boot(t, 1)
	m.mapPages(16)
	nodes, at := words(1)
	out, outAt := words(2)
	nodes[0] = 0b100
	m.want(0, nrMbind, policyAt+4*vm.PageSize, 4*vm.PageSize, mpolBind, at, 65, 0)
	nodes[0] = 0b001
	m.want(0, nrSetMempolicy, mpolBind, at, 65)
	if a, b := m.nodeAt(3), m.nodeAt(4); a != 0 || b != 2 {
		t.Errorf("nodes %d and %d", a, b)
	}
	m.want(0, nrGetMempolicy, outAt, outAt+8, 64, policyAt+5*vm.PageSize, mpolAddr)
	if out[0] != mpolBind || out[1] != 0b100 {
		t.Errorf("area: %d of %b", out[0], out[1])
	}
	m.want(0, nrGetMempolicy, outAt, outAt+8, 64, policyAt, mpolAddr)
	if out[0] != mpolDefault || out[1] != 0 {
		t.Errorf("area without a policy: %d of %b", out[0], out[1])
	}
	m.want(0, nrGetMempolicy, 0, outAt, 64, 0, mpolMemsAllowed)
	if out[0] != testMemory {
		t.Errorf("nodes with memory: %b", out[0])
	}
	// What is there moves, or tells.
	nodes[0] = 0b001
	m.want(eio, nrMbind, policyAt+4*vm.PageSize, vm.PageSize, mpolBind, at, 65, vm.PolicyStrict)
	m.want(0, nrMbind, policyAt+4*vm.PageSize, vm.PageSize, mpolBind, at, 65, vm.PolicyStrict|vm.PolicyMoveAll)
	if n := m.nodeAt(4); n != 0 {
		t.Errorf("moved to node %d", n)
	}
	m.want(0, nrMbind, policyAt, 64*vm.PageSize, mpolDefault, 0, 0, 0)
	m.want(efault, nrMbind, policyAt, 64*vm.PageSize, mpolLocal, 0, 0, 0)
	// A protection that forbids to read.
	m.want(0, nrMprotect, policyAt, vm.PageSize, vm.ProtNone)
	m.want(efault, nrGetMempolicy, outAt, 0, 0, policyAt, mpolNode|mpolAddr)
}

// TestBoundMemoryRunsOut: a fault of a thread that is bound to a full node is out of memory.
func TestBoundMemoryRunsOut(t *testing.T) {
	m := boot(t, 1)
	m.mapPages(testFrames)
	nodes, at := words(1)
	nodes[0] = 0b100
	m.want(0, nrSetMempolicy, mpolBind, at, 65)
	done := 0
	for vm.Fault(0, policyAt+uint64(done)*vm.PageSize, vm.CodeWrite) == vm.Done {
		done++
	}
	if done != testFrames/2 {
		t.Errorf("%d pages of %d frames", done, testFrames/2)
	}
	if out := vm.Fault(0, policyAt+uint64(done)*vm.PageSize, vm.CodeWrite); out != vm.NoMemory {
		t.Errorf("outcome %d", out)
	}
	m.want(0, nrSetMempolicy, mpolDefault, 0, 0)
	if out := vm.Fault(0, policyAt+uint64(done)*vm.PageSize, vm.CodeWrite); out != vm.Done {
		t.Errorf("outcome %d of a thread that isn't bound", out)
	}
}

// TestPolicyIsInherited: a thread begins with its parent's, and a number that is used again with none.
func TestPolicyIsInherited(t *testing.T) {
	m := boot(t, 1)
	nodes, at := words(1)
	nodes[0] = 0b100
	m.want(0, nrSetMempolicy, mpolBind, at, 65)
	sched.SetHome(mainThread, 1)
	bound := numa.Policy{Mode: numa.Bind, Nodes: 0b100}
	child := m.clone(0, func(_ int, _ sched.ID, c *sched.Context) bool { set(c, nrExit, 0); return true })
	home, ok := sched.HomeOf(child)
	if p := MemoryPolicy(child); p != bound || home != 1 || !ok {
		t.Errorf("inherited %+v, home %d, %v", p, home, ok)
	}
	m.want(0, nrSetMempolicy, mpolDefault, 0, 0)
	sched.SetHome(mainThread, -1)
	if p := MemoryPolicy(child); p != bound {
		t.Errorf("changed with the parent's: %+v", p)
	}
	m.spin(func() bool { return !exists(child) && sched.Current(0) == mainThread })
	again := m.clone(0, func(_ int, _ sched.ID, c *sched.Context) bool { set(c, nrExit, 0); return true })
	_, ok = sched.HomeOf(again)
	if p := MemoryPolicy(again); p != (numa.Policy{}) || ok {
		t.Errorf("task %d after %d: %+v, home %v", again, child, p, ok)
	}
}

// TestHomeNode: without a policy of its own a task's memory comes from its home.
func TestHomeNode(t *testing.T) {
	m := boot(t, 1)
	m.mapPages(8)
	sched.SetHome(mainThread, 2)
	if n := m.nodeAt(0); n != 2 {
		t.Errorf("node %d", n)
	}
	sched.SetHome(mainThread, 1) // has no memory
	if n := m.nodeAt(1); n != 0 {
		t.Errorf("node %d", n)
	}
	sched.SetHome(mainThread, 2)
	m.want(0, nrSetMempolicy, mpolLocal, 0, 0)
	if n := m.nodeAt(2); n != 0 {
		t.Errorf("node %d by MPOL_LOCAL", n)
	}
}

func TestSampleCall(t *testing.T) {
	m := boot(t, 1)
	m.mapPages(128)
	for i := range uint64(128) {
		m.nodeAt(i)
	}
	if got := m.call(0, SampleMemory, 10); got != 10 {
		t.Fatalf("%d samples, want 10", got)
	}
	if got := m.call(0, SampleMemory, 1<<63); got <= 0 || got > vm.SampleMost {
		t.Fatalf("%d samples", got)
	}
	for i := range uint64(128) {
		vm.Fault(0, policyAt+i*vm.PageSize, 0)
	}
	if n := vm.Seen(0, 0); n != vm.Sampled() || n == 0 {
		t.Errorf("%d seen of %d", n, vm.Sampled())
	}
}

package linux

import (
	"testing"

	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

const private = vm.MapPrivate | vm.MapAnonymous

func TestMmapRefusesWhatDoesNotFit(t *testing.T) {
	m := boot(t, 1)
	m.room = 1 << 20
	for _, c := range []struct {
		n, prot, flags uint64
		ok             bool
	}{
		{1 << 20, vm.ProtRead | vm.ProtWrite, private, true},
		{1<<20 + 1, vm.ProtRead | vm.ProtWrite, private, false},
		{1<<20 + 1, vm.ProtRead, private, false},
		{1 << 40, vm.ProtNone, private, true},
		{1 << 40, vm.ProtRead | vm.ProtWrite, private | vm.MapNoReserve, true},
		{heapIndex, vm.ProtRead | vm.ProtWrite, private, true},
		{2 * heapIndex, vm.ProtRead | vm.ProtWrite, private, false},
	} {
		if got := m.call(0, nrMmap, 0, c.n, c.prot, c.flags, ^uint64(0), 0); (got != enomem) != c.ok {
			t.Errorf("mmap of %#x bytes, protection %d, flags %#x: %d", c.n, c.prot, c.flags, got)
		}
	}
}

// TestOutOfMemoryIsReported takes all frames away. The reserve serves only the
// thread that was told so, and only so far.
func TestOutOfMemoryIsReported(t *testing.T) {
	m := boot(t, 1)
	const at, size = 0xc0_0000_0000, 1 << 20
	m.want(at, nrMmap, at, size, vm.ProtRead|vm.ProtWrite, private|vm.MapFixed, ^uint64(0), 0)
	m.handle(sigBUS, 0, 0)
	c := &sched.Get(mainThread).Ctx
	before := *c
	Trap(0, mainThread, vecPF, vm.CodeWrite, at) // the page table
	m.frames.reserve = m.frames.free[:100]
	m.frames.free = nil
	told := func(page uint64) bool {
		*c = before
		thread(mainThread).mask.Store(0)
		Trap(0, mainThread, vecPF, vm.CodeWrite, at+page*vm.PageSize)
		return c.RIP == handler
	}
	if LastResort(0) || LastResort(mainThread) {
		t.Error("the reserve is open at once")
	}
	if !told(1) || len(m.frames.reserve) != 100 {
		t.Errorf("SIGBUS is not the first thing to happen; %d of the reserve left", len(m.frames.reserve))
	}
	for page := range uint64(lastFrames) {
		if told(2 + page) {
			t.Fatalf("page %d of the report has no memory", page)
		}
	}
	if !told(2+lastFrames) || len(m.frames.reserve) != 100-lastFrames {
		t.Errorf("the thread gets more than its share; %d of the reserve left", len(m.frames.reserve))
	}
	if len(m.fatal) != 0 {
		t.Errorf("fatal %v", m.fatal)
	}
}

// TestReserveServesWhoCannotBeTold has SIGBUS blocked, as handlers have it.
func TestReserveServesWhoCannotBeTold(t *testing.T) {
	m := boot(t, 1)
	th := thread(mainThread)
	th.mask.Store(bit(sigBUS))
	for range lastFrames {
		if !LastResort(mainThread) {
			t.Fatal("no reserve for a thread that blocks SIGBUS")
		}
	}
	if LastResort(mainThread) {
		t.Error("the reserve has no end")
	}
	const at = 0xc0_0000_0000
	m.want(at, nrMmap, at, 1<<20, vm.ProtRead|vm.ProtWrite, private|vm.MapFixed, ^uint64(0), 0)
	m.frames.free = nil
	Trap(0, mainThread, vecPF, vm.CodeWrite, at)
	if len(m.fatal) != 1 || m.fatal[0].sig != sigBUS || m.fatal[0].addr != at {
		t.Errorf("fatal %v, want SIGBUS", m.fatal)
	}
}

// TestReserveServesSignalFrames delivers a signal onto a stack without memory.
func TestReserveServesSignalFrames(t *testing.T) {
	m := boot(t, 1)
	th := thread(mainThread)
	for _, telling := range []bool{true, false} {
		th.telling = telling
		if LastResort(mainThread) != telling {
			t.Errorf("while a frame is written: %v", telling)
		}
	}
	m.handle(sigURG, 0, 0)
	raise(0, mainThread, sigURG, sender)
	Deliver(0, mainThread)
	if th.telling || sched.Get(mainThread).Ctx.RIP != handler {
		t.Error("delivery did not end")
	}
}

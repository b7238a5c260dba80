package vm

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
)

// The windows of the races that fault.go and change.go argue about, each opened
// on purpose.

// as runs f on another CPU, in the middle of what this one does.
func (s *sim) as(cpu int, f func()) {
	tid := syscall.Gettid()
	was, _ := s.tids.Load(tid)
	s.tids.Store(tid, cpu)
	f()
	s.tids.Store(tid, was)
}

// bootPair boots two CPUs that both are this goroutine. CPU 1 runs inside, if it
// is not nil, when an IPI comes, and then acknowledges.
func bootPair(t *testing.T, inside *func()) *sim {
	s := boot(t, 2, 4096, HugeAlways)
	s.become(0)
	s.as(1, func() { CPUOnline(1) })
	machine.IPI = func(cpu int) {
		s.as(cpu, func() {
			if *inside != nil {
				(*inside)()
			}
			Poll(cpu)
		})
	}
	return s
}

// mixed maps a 2 MiB page and three small ones behind it, all touched, and
// returns where the small ones start. CPU 1 has translations for all.
func mixed(s *sim) (small uint64) {
	at := uint64(0x40_0000_0000)
	small = at + HugeSize
	Map(0, at, HugeSize+3*PageSize, 3, anon|MapFixed)
	for _, va := range []uint64{at, small - PageSize, small, small + PageSize} {
		s.as(1, func() { s.store(1, va, va) })
	}
	if _, huge, _ := s.walk(at); !huge {
		s.tb.Fatal("no 2 MiB page")
	}
	return small
}

func TestWindowProtectKeepsAccountOfRights(t *testing.T) {
	var inside func()
	s := bootPair(t, &inside)
	small := mixed(s)
	ipis := 0
	inside = func() {
		if ipis++; ipis > 1 {
			return
		}
		// The page is being split: it must be absent, and faults must wait.
		if _, _, ok := s.walk(small - PageSize); ok {
			t.Error("both translations of a split page can be cached")
		}
		before := *entry(small - PageSize)
		if out := Fault(1, small-PageSize, 0); out != Done || *entry(small - PageSize) != before {
			t.Errorf("fault in a page that is being split: outcome %d, entry %#x", out, *entry(small - PageSize))
		}
		// The tree says read-only, the entry does not yet, and CPU 1 caches that. If
		// this fault took the right away, nobody would shoot down.
		Poll(1)
		s.store(1, small, 1)
		if out := Fault(1, small, CodePresent); out != Done {
			t.Errorf("fault: outcome %d", out)
		}
	}
	if err := Protect(0, small-PageSize, 2*PageSize, ProtRead); err != 0 {
		t.Fatal(err)
	}
	if ipis != 2 {
		t.Errorf("%d IPIs, want one for the split and one for the rights", ipis)
	}
	for _, va := range []uint64{small - PageSize, small} {
		if tr, ok := s.cpus[1].tlb[va>>12]; ok && tr.write {
			t.Errorf("CPU 1 can still write to %#x", va)
		}
	}
	inside = nil
	s.audit()
}

// TestWindowProtectAddsRights is the other direction: a fault that sees the new
// tree need not wait for the entry.
func TestWindowProtectAddsRights(t *testing.T) {
	var inside func()
	s := bootPair(t, &inside)
	small := mixed(s)
	Protect(0, small-HugeSize, HugeSize+3*PageSize, ProtRead)
	once := false
	inside = func() {
		if !once {
			once = true
			s.store(1, small, 7)
		}
	}
	if err := Protect(0, small-PageSize, 2*PageSize, 3); err != 0 || !once {
		t.Fatal(err, once)
	}
	inside = nil
	if v := s.load(0, small); v != 7 {
		t.Errorf("the store was lost: %d", v)
	}
	s.audit()
}

// TestWindowProtectMeetsSample: the access that ends a sample gets what the area allows by now, and not what
// the page had. Protect has no shootdown for a page that isn't there.
func TestWindowProtectMeetsSample(t *testing.T) {
	var inside func()
	s := bootPair(t, &inside)
	small := mixed(s)
	sampling.skip = 1
	if !sampling.take(entry(small)) {
		t.Fatal("no sample")
	}
	shoot(0, small, small+PageSize, false)
	once := false
	inside = func() { // the page before is being split; the tree says read-only, the entry doesn't
		Poll(1)
		if !once {
			once = true
			s.load(1, small)
			if tr, ok := s.cpus[1].tlb[small>>12]; !ok || tr.write {
				t.Errorf("CPU 1 has %+v, %t", tr, ok)
			}
		}
	}
	if err := Protect(0, small-PageSize, 2*PageSize, ProtRead); err != 0 || !once {
		t.Fatal(err, once)
	}
	inside = nil
	s.audit()
}

// TestWindowReplaceLetsFaultsWait: a page installed in the new area before the
// old pages are gone would be removed with them, and what was stored in it.
func TestWindowReplaceLetsFaultsWait(t *testing.T) {
	var inside func()
	s := bootPair(t, &inside)
	small := mixed(s)
	ipis := 0
	inside = func() {
		ipis++
		va := small + 5*PageSize // never touched, nor ahead of a page that was
		if out := Fault(1, va, CodeWrite); out != Done || *entry(va) != 0 {
			t.Errorf("IPI %d: outcome %d, entry %#x", ipis, out, *entry(va))
		}
	}
	if _, err := Map(0, small-PageSize, 8*PageSize, 3, anon|MapFixed); err != 0 {
		t.Fatal(err)
	}
	if ipis != 2 {
		t.Errorf("%d IPIs, want one for the split and one for the pages", ipis)
	}
	inside = nil
	s.audit()
}

func entry(va uint64) *uint64 {
	e, _ := lookup(va)
	return e
}

// TestWindowUnmapWaitsForFault has a fault of CPU 1 under way, with its frame in
// hand, when CPU 0 unmaps.
func TestWindowUnmapWaitsForFault(t *testing.T) {
	s := boot(t, 2, 2048, HugeNever)
	s.become(0)
	at := s.mapped(PageSize)
	if Fault(0, at, CodeWrite) != Done { // makes the tables
		t.Fatal("fault")
	}
	Advise(0, at, PageSize, AdviseDontNeed)
	var inside, left atomic.Bool
	machine.Zero = func(frame uint32, huge bool) {
		root := tree.root.Load()
		inside.Store(true)
		for tree.root.Load() == root {
			runtime.Gosched()
		}
		for range 5000 {
			runtime.Gosched()
		}
		s.zero(frame, huge)
		left.Store(true)
	}
	done := make(chan Outcome)
	go func() { done <- Fault(1, at, CodeWrite) }()
	for !inside.Load() {
		runtime.Gosched()
	}
	if err := Unmap(0, at, PageSize); err != 0 {
		t.Error(err)
	}
	if !left.Load() {
		t.Error("Unmap did not wait for the fault")
	}
	if out := <-done; out != Done {
		t.Errorf("fault: outcome %d", out)
	}
	machine.Zero = s.zero
	s.clearAll()
}

// TestWindowShootWaits has CPU 1 take its time with the interrupt.
func TestWindowShootWaits(t *testing.T) {
	s := boot(t, 2, 2048, HugeNever)
	s.become(0)
	var sent, acked atomic.Bool
	machine.IPI = func(int) { sent.Store(true) }
	machine.FlushAll = func() {}
	machine.InvalidatePage = func(uint64) {}
	CPUOnline(1)
	go func() {
		for !sent.Load() {
			runtime.Gosched()
		}
		for range 200 {
			runtime.Gosched()
		}
		acked.Store(true)
		Poll(1)
	}()
	shoot(0, UserMin, UserMin+PageSize, false)
	if !acked.Load() {
		t.Error("the shootdown did not wait for CPU 1")
	}
}

// TestWindowAdviseSparesNewPage: madvise finds no 2 MiB page to split at the end
// of its range; before it removes pages, CPU 1 installs one there, and stores
// outside the range.
func TestWindowAdviseSparesNewPage(t *testing.T) {
	var inside func()
	s := bootPair(t, &inside)
	at := uint64(0x40_0000_0000)
	Map(0, at, HugeSize, 3, anon|MapFixed)
	for _, part := range []span{{at + PageSize, at + HugeSize}, {at, at + HugeSize - PageSize}} {
		outside := at
		if part.lo == at {
			outside = part.hi
		}
		once := false
		machine.Free = func(cpu int, frame uint32, huge bool) { // the table that was put by
			if !once {
				once = true
				s.as(1, func() { s.store(1, outside, 7) })
			}
			s.free(cpu, frame, huge)
		}
		if err := Advise(0, part.lo, part.hi-part.lo, AdviseDontNeed); err != 0 || !once {
			t.Fatal(err, once)
		}
		machine.Free = s.free
		if v := s.load(0, outside); v != 7 {
			t.Errorf("madvise of %#x took what was stored at %#x: %d", part, outside, v)
		}
		Advise(0, at, HugeSize, AdviseDontNeed)
	}
	s.audit()
}

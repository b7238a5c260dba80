package vm

import (
	"sync/atomic"
	"testing"

	"pdac/kernel/numa"
)

// TestMovePages moves pages of both sizes with what they hold.
func TestMovePages(t *testing.T) {
	for _, mode := range []HugeMode{HugeNever, HugeAlways} {
		s := bootNodes(t, 1, 3, 3*2048, mode)
		const pages = 1024
		mapAt(t, pages)
		for i := range pages {
			s.store(0, policyAt+uint64(i)*PageSize, uint64(i)+7)
		}
		Protect(0, policyAt+5*PageSize, PageSize, ProtNone)
		for _, c := range []struct {
			p    numa.Policy
			want [3]int
		}{{bind1, [3]int{0, pages, 0}}, {bind2, [3]int{0, 0, pages}}, {inTurn, [3]int{0, 0, pages}}, {numa.Policy{}, [3]int{pages, 0, 0}}} {
			setPolicyOf(t, 0, pages, c.p, PolicyMove)
			Protect(0, policyAt+5*PageSize, PageSize, ProtRead|ProtWrite)
			if n := s.byNode(policyAt, pages); n != c.want {
				t.Errorf("%+v: by node %v, want %v", c.p, n, c.want)
			}
			Protect(0, policyAt+5*PageSize, PageSize, ProtNone)
		}
		Protect(0, policyAt, pages*PageSize, ProtRead|ProtWrite)
		for i := range pages {
			if v := s.load(0, policyAt+uint64(i)*PageSize); v != uint64(i)+7 {
				t.Fatalf("page %d holds %d", i, v)
			}
		}
		if n := ReadStats().Migrated; n != 3*pages {
			t.Errorf("%d pages moved", n)
		}
		s.clearAll()
	}
}

// TestMovePagesWithoutMemory: those that find room there move, and the rest stays.
func TestMovePagesWithoutMemory(t *testing.T) {
	s := bootNodes(t, 1, 3, 3*1024, HugeNever)
	const pages = 300
	mapAt(t, 1024)
	for i := range pages {
		s.store(0, policyAt+uint64(i)*PageSize, 1)
	}
	setPolicyOf(t, pages, 1024-pages, bind1, 0)
	for i := pages; i < 1024; i++ {
		s.store(0, policyAt+uint64(i)*PageSize, 1)
	}
	// Node 1 has 300 frames left: 24 more than fit.
	mapped := s.mapped(24 * PageSize)
	SetPolicy(0, mapped, 24*PageSize, bind1, 0)
	for i := range uint64(24) {
		s.store(0, mapped+i*PageSize, 1)
	}
	if err := SetPolicy(0, policyAt, pages*PageSize, prefer1, PolicyMove|PolicyStrict); err != EIO {
		t.Errorf("error %d, want EIO", err)
	}
	if n := s.byNode(policyAt, pages); n != [3]int{24, pages - 24, 0} {
		t.Errorf("by node %v", n)
	}
	setPolicyOf(t, 0, pages, prefer1, PolicyMove) // not strict: no error
	s.clearAll()
}

// TestFaultWaitsForAMove faults in the midst of one: after the entry became busy, before the page is copied.
func TestFaultWaitsForAMove(t *testing.T) {
	s := bootNodes(t, 1, 3, 3*1024, HugeNever)
	mapAt(t, 8)
	for i := range uint64(8) {
		s.store(0, policyAt+i*PageSize, i+1)
	}
	invalidate, faults := machine.InvalidatePage, 0
	machine.InvalidatePage = func(va uint64) {
		invalidate(va)
		if faults++; faults > 1 {
			return // of the fault's own Poll too
		}
		for i := range uint64(8) {
			at := policyAt + i*PageSize
			out := Fault(0, at, CodeWrite)
			if e, _ := lookup(at); out != Done || atomic.LoadUint64(e) != pteBusy {
				t.Errorf("page %d: outcome %d, entry %#x", i, out, atomic.LoadUint64(e))
			}
		}
	}
	setPolicyOf(t, 0, 8, bind1, PolicyMove)
	if faults == 0 {
		t.Error("nothing was invalidated")
	}
	for i := range uint64(8) {
		if v := s.load(0, policyAt+i*PageSize); v != i+1 {
			t.Errorf("page %d holds %d", i, v)
		}
	}
	s.clearAll()
}

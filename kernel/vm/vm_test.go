package vm

import "testing"

const anon = MapPrivate | MapAnonymous

func TestFaultZeroesAndKeeps(t *testing.T) {
	for _, mode := range []HugeMode{HugeNever, HugeAlways} {
		s := boot(t, 1, 4096, mode)
		at := s.mapped(4 << 20)
		for va := at; va < at+4<<20; va += PageSize {
			if v := s.load(0, va); v != 0 {
				t.Fatalf("fresh page %#x holds %#x", va, v)
			}
			s.store(0, va, va)
		}
		for va := at; va < at+4<<20; va += PageSize {
			if v := s.load(0, va); v != va {
				t.Fatalf("page %#x holds %#x", va, v)
			}
		}
		small, huge := CPUStats(0)
		if mode == HugeNever && (small != 1024 || huge != 0) || mode == HugeAlways && (small != 0 || huge != 2) {
			t.Errorf("mode %d: %d faults of 4 KiB, %d of 2 MiB", mode, small, huge)
		}
		s.audit()
		s.clearAll()
		if n := ReadStats().Unmapped; n != 1024 {
			t.Errorf("%d pages counted as unmapped, want 1024", n)
		}
	}
}

package vm

import (
	"testing"

	"pdac/kernel/numa"
)

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

func TestFaultOutcomes(t *testing.T) {
	s := boot(t, 1, 1024, HugeNever)
	page := func(prot uint64) uint64 {
		at, err := Map(0, 0, PageSize, prot, anon)
		if err != 0 {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct {
		name string
		va   uint64
		code uint64
		want Outcome
	}{
		{"nil", 8, 0, MapErr},
		{"write to rodata of the image", 0x50_0000, CodePresent | CodeWrite, AccErr},
		{"hole", 0x5555_0000_0000, CodeWrite, MapErr},
		{"kernel", 0xffff_a000_0000_0000, 0, MapErr},
		{"last page below the hole", UserEnd, 0, MapErr},
		{"read, none", page(ProtNone), 0, AccErr},
		{"read, read-only", page(ProtRead), 0, Done},
		{"write, read-only", page(ProtRead), CodeWrite, AccErr},
		{"fetch, read-only", page(ProtRead), CodeFetch, AccErr},
		{"read, write-only", page(ProtWrite), 0, Done},
		{"write", page(ProtWrite), CodeWrite, Done},
		{"read, exec-only", page(ProtExec), 0, Done},
		{"fetch", page(ProtExec), CodeFetch, Done},
	} {
		if got := Fault(0, c.va, c.code); got != c.want {
			t.Errorf("%s: outcome %d, want %d", c.name, got, c.want)
		}
	}
	s.audit()

	// Out of memory, at each step of the way.
	at := uint64(0x10_0000_0000_0)
	if _, err := Map(0, at, PageSize, 3, anon|MapFixed); err != 0 {
		t.Fatal(err)
	}
	for i := range 5 {
		want := NoMemory
		if s.failAt = 1; i == 3 {
			want = Done // three tables are there, and the page is the last
		} else if i == 4 {
			want = Done
		}
		if got := Fault(0, at, CodeWrite); got != want {
			t.Errorf("%d frames more: outcome %d, want %d", i+1, got, want)
		}
	}
	s.failAt = -1
	s.audit()
	s.clearAll()
}

func TestMapArguments(t *testing.T) {
	boot(t, 1, 1024, HugeNever)
	const fixed = anon | MapFixed
	at := uint64(0x6000_0000_0000)
	if _, err := Map(0, at, 4*PageSize, 3, fixed); err != 0 {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		addr, n, flags uint64
		want           uint64
		err            Errno
	}{
		{"no length", 0, 0, anon, 0, EINVAL},
		{"no type", 0, 1, MapAnonymous, 0, EINVAL},
		{"unknown type", 0, 1, MapAnonymous | 4, 0, EINVAL},
		{"grows down", 0, 1, anon | MapGrowsDown, 0, EINVAL},
		{"file", 0, 1, MapPrivate, 0, ENODEV},
		{"unaligned", at + 1, 1, fixed, 0, EINVAL},
		{"low", 1 << 20, PageSize, fixed, 0, EPERM},
		{"nil", 0, PageSize, fixed, 0, EPERM},
		{"just low", UserMin - PageSize, 2 * PageSize, fixed, 0, EPERM},
		{"past the end", UserEnd - PageSize, 2 * PageSize, fixed, 0, ENOMEM},
		{"kernel", 0xffff_8000_0000_0000, PageSize, fixed, 0, ENOMEM},
		{"wraps", at, 1<<64 - PageSize, fixed, 0, ENOMEM},
		{"rounds to nothing", 0, 1<<64 - 1, anon, 0, ENOMEM},
		{"too large", 0, 1 << 47, anon, 0, ENOMEM},
		{"low 2 GiB", 0, 1, anon | Map32Bit, 0, ENOMEM},
		{"huge pages", 0, HugeSize, anon | MapHugeTLB, 0, ENOMEM},
		{"no replace", at + 3*PageSize, 2 * PageSize, anon | MapFixedNoReplace, 0, EEXIST},
		{"no replace, free", at + 4*PageSize, 1, anon | MapFixedNoReplace, at + 4*PageSize, 0},
		{"hint", 0xc0_0000_0000, 1, anon, 0xc0_0000_0000, 0},
		{"hint, rounded up", 0xc1_0000_0001, 1, anon, 0xc1_0000_1000, 0},
		{"hint, taken", at, 1, anon, userTop - PageSize, 0},
		{"hint, low", 0x1000, 1, anon, userTop - 2*PageSize, 0},
		{"no hint", 0, 3*PageSize - 1, anon | MapNoReserve | MapStack, userTop - 5*PageSize, 0},
		{"aligned for 2 MiB pages", 0, 2 * HugeSize, anon, userTop - 3*HugeSize, 0},
		{"above the top", userTop, PageSize, anon, userTop, 0},
		{"more than there is", 0, 1 << 46, anon, 0x2000_0000_0000, 0},
		{"no such hole", 0, 1 << 46, anon, 0, ENOMEM},
		{"shared", 0, PageSize, MapShared | MapAnonymous, userTop - 6*PageSize, 0},
	} {
		got, err := Map(0, c.addr, c.n, 3, c.flags)
		if got != c.want || err != c.err {
			t.Errorf("%s: %#x, error %d; want %#x, error %d", c.name, got, err, c.want, c.err)
		}
	}
	auditTree(t)
}

func TestOtherArguments(t *testing.T) {
	s := boot(t, 1, 1024, HugeNever)
	at := s.mapped(4 * PageSize)
	check := func(name string, got, want Errno) {
		t.Helper()
		if got != want {
			t.Errorf("%s: error %d, want %d", name, got, want)
		}
	}
	check("Unmap unaligned", Unmap(0, at+1, 1), EINVAL)
	check("Unmap nothing", Unmap(0, at, 0), EINVAL)
	check("Unmap low", Unmap(0, 0, PageSize), EINVAL)
	check("Unmap wrap", Unmap(0, at, 1<<64-1), EINVAL)
	check("Unmap kernel", Unmap(0, 0xffff_8000_0000_0000, PageSize), EINVAL)
	check("Unmap hole", Unmap(0, 0x5000_0000_0000, PageSize), 0)
	check("Protect unaligned", Protect(0, at+1, 1, 1), EINVAL)
	check("Protect bits", Protect(0, at, 1, 16), EINVAL)
	check("Protect nothing", Protect(0, at, 0, 1), 0)
	check("Protect hole", Protect(0, at, 5*PageSize, 1), ENOMEM)
	check("Protect low", Protect(0, 0, PageSize, 1), ENOMEM)
	check("Protect wrap", Protect(0, at, 1<<64-PageSize, 1), ENOMEM)
	check("Advise unaligned", Advise(0, at+1, 1, AdviseDontNeed), EINVAL)
	check("Advise unknown", Advise(0, at, 1, 77), EINVAL)
	check("Advise collapse", Advise(0, at, HugeSize, AdviseCollapse), EINVAL)
	check("Advise nothing", Advise(0, at, 0, AdviseDontNeed), 0)
	check("Advise wrap", Advise(0, at, 1<<64-PageSize, AdviseDontNeed), EINVAL)
	check("Advise low", Advise(0, 0, PageSize, AdviseDontNeed), ENOMEM)
	check("Advise hole", Advise(0, at, 5*PageSize, AdviseNormal), ENOMEM)
	check("Resident unaligned", Resident(0, at+1, make([]byte, 1)), EINVAL)
	check("Resident low", Resident(0, 0, make([]byte, 1)), ENOMEM)
	check("SetPolicy hole", SetPolicy(0, at, 5*PageSize, numa.Policy{Mode: numa.Local}, 0), EFAULT)
	for _, c := range []struct {
		va, n uint64
		want  bool
	}{{at, 4 * PageSize, true}, {at + 1, 4 * PageSize, false}, {at, 1<<64 - 1, false}, {0, 1, false}, {0, 0, true}, {UserEnd - 1, 2, false}} {
		if got := Check(0, c.va, c.n, true); got != c.want {
			t.Errorf("Check(%#x, %#x) = %v", c.va, c.n, got)
		}
	}
	s.clearAll()
}

func TestMapPopulate(t *testing.T) {
	for _, mode := range []HugeMode{HugeNever, HugeAlways} {
		s := boot(t, 1, 4096, mode)
		at, err := Map(0, 0, 4<<20, 3, anon|MapPopulate)
		if err != 0 {
			t.Fatal(err)
		}
		in := make([]byte, 1024)
		if err := Resident(0, at, in); err != 0 {
			t.Fatal(err)
		}
		for i, b := range in {
			if b != 1 {
				t.Fatalf("mode %d: page %d is not there", mode, i)
			}
		}
		s.clearAll()
	}
}

// TestUnmapPartOfHugePage looks that the rest keeps its contents, and that
// exactly the part comes back.
func TestUnmapPartOfHugePage(t *testing.T) {
	s := boot(t, 1, 4096, HugeAlways)
	at := s.mapped(HugeSize)
	for i := range uint64(512) {
		s.store(0, at+i*PageSize, i)
	}
	if s.inUse != 512+2 {
		t.Fatalf("%d frames in use", s.inUse)
	}
	if err := Unmap(0, at+100*PageSize, 50*PageSize); err != 0 {
		t.Fatal(err)
	}
	if s.inUse != 512-50+3 {
		t.Errorf("%d frames in use", s.inUse)
	}
	for i := range uint64(512) {
		va := at + i*PageSize
		if i >= 100 && i < 150 {
			if out := s.access(0, va, false, nil); out != MapErr {
				t.Errorf("page %d: outcome %d", i, out)
			}
		} else if v := s.load(0, va); v != i {
			t.Errorf("page %d holds %d", i, v)
		}
	}
	s.audit()
	s.clearAll()
}

func FuzzArguments(f *testing.F) {
	f.Add(uint8(0), uint64(1<<40), uint64(4096), uint64(3), uint64(0x32))
	f.Add(uint8(1), uint64(0), ^uint64(0), uint64(3), uint64(0x22))
	f.Add(uint8(2), ^uint64(4095), uint64(8192), uint64(4), uint64(0))
	f.Fuzz(func(t *testing.T, op uint8, addr, n, a, b uint64) {
		s := boot(t, 1, 1024, HugeAlways)
		at := s.mapped(3 * HugeSize)
		s.store(0, at, 1)
		switch op % 6 {
		case 0:
			if got, err := Map(0, addr, n, a, b&^MapPopulate&^MapLocked); err == 0 && (got < UserMin || got >= UserEnd || got%PageSize != 0) {
				t.Errorf("Map gave %#x", got)
			}
		case 1:
			Unmap(0, addr, n)
		case 2:
			Protect(0, addr, n, a)
		case 3:
			Advise(0, addr, n, a)
		case 4:
			Fault(0, addr, n)
		case 5:
			if Check(0, addr, n, true) && n > 0 && (addr < at || addr+n > at+3*HugeSize) {
				t.Errorf("Check(%#x, %#x)", addr, n)
			}
		}
		s.audit()
		s.clearAll()
	})
}

// TestGiveBackWithoutMemory gives back parts of 2 MiB pages when there is no
// memory for the tables that would split them.
func TestGiveBackWithoutMemory(t *testing.T) {
	const at, all = 0x10_0000_0000, 3 * HugeSize
	for _, r := range []struct{ lo, hi uint64 }{
		{PageSize, 2 * PageSize},                                // inside a page
		{HugeSize - PageSize, HugeSize + PageSize},              // the ends of two
		{HugeSize - PageSize, 2*HugeSize + PageSize},            // and all of one
		{PageSize, HugeSize}, {HugeSize, HugeSize + 5*PageSize}, // to or from a border
		{HugeSize, 2 * HugeSize}, {5 * PageSize, all - PageSize}, // nothing to split; nearly all
	} {
		s := boot(t, 1, 4096, HugeAlways)
		if _, err := Map(0, at, all, 3, anon|MapFixed); err != 0 {
			t.Fatal(err)
		}
		for va := uint64(at); va < at+all; va += PageSize {
			if out := s.access(0, va, true, func(w *uint64) { *w = va }); out != Done {
				t.Fatalf("no memory at %#x: %d", va, out)
			}
		}
		before := s.inUse
		s.failAt = 0
		if err := Advise(0, at+r.lo, r.hi-r.lo, AdviseDontNeed); err != 0 {
			t.Errorf("[%#x, %#x): error %d", r.lo, r.hi, err)
		}
		whole := max(0, int(r.hi/HugeSize)-int((r.lo+HugeSize-1)/HugeSize))
		if got := before - s.inUse; got != whole*512 {
			t.Errorf("[%#x, %#x): %d frames given back, want those of %d pages", r.lo, r.hi, got, whole)
		}
		s.failAt = -1
		for va := uint64(at); va < at+all; va += PageSize {
			want := va
			if va >= at+r.lo && va < at+r.hi {
				want = 0
			}
			s.access(0, va, false, func(w *uint64) {
				if *w != want {
					t.Errorf("[%#x, %#x): %#x holds %#x, want %#x", r.lo, r.hi, va, *w, want)
				}
			})
		}
		s.audit()
		s.clearAll()
	}
}

package vm

import "testing"

// TestMapKernelProtectsPartsOfAPage does what boot does to the image, which lies
// in a 2 MiB page, and to a stack's guard.
func TestMapKernelProtectsPartsOfAPage(t *testing.T) {
	s := boot(t, 1, 2048, HugeAlways)
	const image = 2 << 20
	if !MapKernel(0, 0, 0, 2*HugeSize, KernelWrite|KernelExec) {
		t.Fatal("no memory")
	}
	if e, huge, _ := s.walk(image); !huge || e != image|pteP|pteW|pteA|pteD|ptePS {
		t.Fatalf("identity: entry %#x", e)
	}
	shots := ReadStats().Shootdowns
	if !MapKernel(0, image+PageSize, image+PageSize, 2*PageSize, KernelExec) ||
		!MapKernel(0, image+3*PageSize, image+3*PageSize, PageSize, 0) ||
		!MapKernel(0, image+4*PageSize, 0, PageSize, KernelNone) ||
		!MapKernel(0, 0, 0, PageSize, KernelNone) {
		t.Fatal("no memory")
	}
	if n := ReadStats().Shootdowns - shots; n != 4 {
		t.Errorf("%d shootdowns", n)
	}
	for _, c := range []struct {
		page uint64
		want uint64
	}{{0, pteP | pteW}, {1, pteP}, {2, pteP}, {3, pteP | pteNX}, {4, 0}, {5, pteP | pteW}} {
		va := image + c.page*PageSize
		e, huge, ok := s.walk(va)
		if want := va | c.want | pteA | pteD; huge || ok && e != want || ok != (c.want != 0) {
			t.Errorf("page %d: entry %#x, %v", c.page, e, huge)
		}
	}
	for _, c := range []struct {
		va   uint64
		want bool
	}{{8, false}, {image, true}, {image + 4*PageSize + 1, false}, {PageSize, true}, {1 << 47, false}, {^uint64(0), false}, {0x1234_0000_0000_0000, false}} {
		if Mapped(c.va) != c.want {
			t.Errorf("Mapped(%#x) is not %v", c.va, c.want)
		}
	}
	if !Check(0, image+5*PageSize, 8, true) || Check(0, image+PageSize, 8, true) || !Check(0, image+PageSize, 8, false) || Check(0, 8, 8, false) {
		t.Error("Check of the image")
	}

	const mmio = 0xffff_a100_0000_0000
	if !MapKernel(0, mmio, 0xfee0_0000, PageSize, KernelWrite|KernelUncached) {
		t.Fatal("no memory")
	}
	if e, _, ok := s.walk(mmio); !ok || e != 0xfee0_0000|pteP|pteW|ptePWT|ptePCD|pteA|pteD|pteNX {
		t.Errorf("MMIO: entry %#x", e)
	}
	s.failAt = 0
	if !MapKernel(0, image+HugeSize-PageSize, 0, PageSize, KernelNone) {
		t.Error("the table was there")
	}
	if MapKernel(0, mmio+HugeSize, 0, PageSize, 0) {
		t.Error("mapped without memory")
	}
}

// TestMappedBelievesNoEntry has page tables that lead out of RAM.
func TestMappedBelievesNoEntry(t *testing.T) {
	s := boot(t, 1, 1024, HugeNever)
	const va = 0xffff_a000_0000_0000
	if !Populate(0, va, PageSize) || !Mapped(va) {
		t.Fatal("not mapped")
	}
	if f, ok := Frame(va + 5); !ok || uint64(f)<<12 != *leafOf(va)&pteFrame {
		t.Errorf("frame %#x, %v of entry %#x", f, ok, *leafOf(va))
	}
	for shift := uint(pdShift); shift <= topShift; shift += 9 {
		e := &table(frameOf(machine.Root))[index(va, topShift)]
		for at := uint(topShift); at > shift; at -= 9 {
			e = &table(frameOf(*e))[index(va, at-9)]
		}
		for _, wild := range []uint64{uint64(len(s.phys)) / entries << 12, pteFrame} {
			kept := *e
			*e = wild | pteTable
			if Mapped(va) {
				t.Errorf("level %d: mapped by a table at %#x", shift, wild)
			}
			*e = kept
		}
	}
	if !Mapped(va) {
		t.Error("not mapped any more")
	}
}

// leafOf returns the entry that maps va.
func leafOf(va uint64) *uint64 {
	e, _ := lookup(va)
	return e
}

// TestFrameOfHugePage looks into a 2 MiB page.
func TestFrameOfHugePage(t *testing.T) {
	boot(t, 1, 2048, HugeAlways)
	const va, pa = 0xffff_a000_0000_0000, 2 << 20
	if !MapKernel(0, va, pa, HugeSize, 0) {
		t.Fatal("no memory")
	}
	for _, off := range []uint64{0, PageSize - 1, PageSize, HugeSize - 1} {
		if f, ok := Frame(va + off); !ok || uint64(f) != (pa+off)>>12 {
			t.Errorf("offset %#x: frame %#x, %v", off, f, ok)
		}
	}
	if f, ok := Frame(va + HugeSize); ok {
		t.Errorf("behind it: frame %#x", f)
	}
}

// TestFaultLazyImage touches the part of the image that has no memory at first.
func TestFaultLazyImage(t *testing.T) {
	s := boot(t, 1, 1024, HugeAlways)
	const lo, hi = 16 << 20, 16<<20 + 3*PageSize
	machine.LazyMin, machine.LazyEnd = lo, hi
	if !Check(0, lo, hi-lo, true) || Check(0, lo-1, 2, false) || Check(0, hi-1, 2, false) {
		t.Error("Check before the first touch")
	}
	for _, c := range []struct {
		va, code uint64
		want     Outcome
	}{
		{lo - 1, 0, MapErr}, {hi, CodeWrite, MapErr},
		{lo, CodeWrite, Done}, {hi - 1, 0, Done},
		{lo, CodePresent | CodeFetch, AccErr},
	} {
		if got := Fault(0, c.va, c.code); got != c.want {
			t.Errorf("fault at %#x: %d, want %d", c.va, got, c.want)
		}
	}
	if e, huge, ok := s.walk(lo); !ok || huge || e&^pteFrame != leaf(ProtRead|ProtWrite) {
		t.Errorf("entry %#x", e)
	}
	if n := ReadStats().Kernel; n != 2 {
		t.Errorf("%d frames counted, want 2", n)
	}
	if Mapped(lo + PageSize) {
		t.Error("a page came that nobody touched")
	}
	s.failAt = 0
	if got := Fault(0, lo+PageSize, CodeWrite); got != NoMemory {
		t.Errorf("without memory: %d", got)
	}
	if !Check(0, lo, hi-lo, true) {
		t.Error("Check after")
	}
}

package vm

import (
	"strings"
	"testing"
)

// faultsOf stores in the pages that touch lists, and returns how many of the stores
// faulted and which of the first n pages are there then.
func faultsOf(t *testing.T, s *sim, at uint64, n int, touch []int) (faults int, there string) {
	t.Helper()
	for _, i := range touch {
		if in := residency(t, at, i+1); in[i] == '-' {
			faults++
		}
		s.store(0, at+uint64(i)*PageSize, uint64(i)+1)
	}
	for i, v := range touch {
		if got := s.load(0, at+uint64(v)*PageSize); got != uint64(v)+1 {
			t.Errorf("page %d, touch %d, holds %d", v, i, got)
		}
	}
	return faults, residency(t, at, n)
}

func residency(t *testing.T, at uint64, n int) string {
	t.Helper()
	in := make([]byte, n)
	if err := Resident(0, at, in); err != 0 {
		t.Fatal(err)
	}
	for i := range in {
		in[i] = "-x"[in[i]]
	}
	return string(in)
}

func TestAhead(t *testing.T) {
	for _, c := range []struct {
		name   string
		pages  int
		touch  []int
		faults int
		there  string
	}{
		{"a run", 16, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, 4, "xxxxxxxxxxxx----"},
		{"lone pages", 16, []int{0, 2, 6, 12}, 4, "x-x---x-----x---"},
		{"downwards", 8, []int{7, 6, 5, 4}, 4, "----xxxx"},
		{"from inside a group", 8, []int{2, 3, 4}, 3, "--xxxxxx"},
		{"up to a page that is there", 8, []int{6, 3, 4}, 3, "---xxxx-"},
		{"up to the area's end", 6, []int{3, 4}, 2, "---xxx"},
	} {
		s := boot(t, 1, 1024, HugeNever)
		const at = 0x10_0000_0000
		if _, err := Map(0, at, uint64(c.pages)*PageSize, 3, anon|MapFixed); err != 0 {
			t.Fatal(err)
		}
		faults, there := faultsOf(t, s, at, c.pages, c.touch)
		if faults != c.faults || there != c.there {
			t.Errorf("%s: %d faults, pages %s; want %d, %s", c.name, faults, there, c.faults, c.there)
		}
		if n, _ := CPUStats(0); int(n) != strings.Count(c.there, "x") {
			t.Errorf("%s: %d pages counted, %s are there", c.name, n, c.there)
		}
		s.audit()
	}
}

// TestAheadKeepsToTheArea: the page before belongs to another one, and so it says
// nothing about this.
func TestAheadKeepsToTheArea(t *testing.T) {
	s := boot(t, 1, 1024, HugeNever)
	const at = 0x10_0000_0000
	Map(0, at, PageSize, ProtRead|ProtWrite|ProtExec, anon|MapFixed)
	Map(0, at+PageSize, 3*PageSize, ProtRead|ProtWrite, anon|MapFixed)
	if faults, there := faultsOf(t, s, at, 4, []int{0, 1}); faults != 2 || there != "xx--" {
		t.Errorf("%d faults, pages %s", faults, there)
	}
	s.audit()
}

// TestAheadWithoutMemory: a fault needs one frame.
func TestAheadWithoutMemory(t *testing.T) {
	s := boot(t, 1, 1024, HugeNever)
	const at = 0x10_0000_0000
	Map(0, at, 4*PageSize, 3, anon|MapFixed)
	s.store(0, at, 1)
	s.failAt = 2 // its own and one more
	if out := Fault(0, at+PageSize, CodeWrite); out != Done {
		t.Fatalf("outcome %d", out)
	}
	s.failAt = -1
	if there := residency(t, at, 4); there != "xxx-" {
		t.Errorf("pages %s, want xxx-", there)
	}
	s.audit()
}

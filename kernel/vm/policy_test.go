package vm

import (
	"math/rand/v2"
	"testing"

	"pdac/kernel/numa"
)

const policyAt = 0x10_0000_0000

var (
	bind1   = numa.Policy{Mode: numa.Bind, Nodes: 0b010}
	bind2   = numa.Policy{Mode: numa.Bind, Nodes: 0b100}
	inTurn  = numa.Policy{Mode: numa.Interleave, Nodes: 0b111}
	prefer1 = numa.Policy{Mode: numa.Preferred, Nodes: 0b010}
)

// mapAt maps n pages read-write at policyAt.
func mapAt(t *testing.T, pages int) {
	t.Helper()
	if _, err := Map(0, policyAt, uint64(pages)*PageSize, ProtRead|ProtWrite, anon|MapFixed); err != 0 {
		t.Fatalf("Map: error %d", err)
	}
}

func setPolicyOf(t *testing.T, page, n int, p numa.Policy, flags uint64) {
	t.Helper()
	if err := SetPolicy(0, policyAt+uint64(page)*PageSize, uint64(n)*PageSize, p, flags); err != 0 {
		t.Fatalf("SetPolicy: error %d", err)
	}
}

// byNode counts the pages of 4 KiB by node.
func (s *sim) byNode(at uint64, pages int) (n [3]int) {
	for i := range pages {
		if f, ok := Frame(at + uint64(i)*PageSize); ok {
			n[s.nodeOf(f)]++
		}
	}
	return n
}

// TestInterleaveInAnyOrder: each group of three pages has one on each node, whichever was touched
// first, with pages brought in ahead among them.
func TestInterleaveInAnyOrder(t *testing.T) {
	const pages = 3 * 64
	orders := map[string][]int{"up": nil, "down": nil, "random": rand.New(rand.NewPCG(1, 1)).Perm(pages)}
	for i := range pages {
		orders["up"] = append(orders["up"], i)
		orders["down"] = append(orders["down"], pages-1-i)
	}
	for name, order := range orders {
		for _, byTask := range []bool{false, true} {
			s := bootNodes(t, 1, 3, 3*1024, HugeNever)
			mapAt(t, pages)
			if byTask {
				s.tasks[0] = inTurn
			} else {
				setPolicyOf(t, 0, pages, inTurn, 0)
			}
			for _, i := range order {
				s.store(0, policyAt+uint64(i)*PageSize, 1)
			}
			for i := 0; i < pages; i += 3 {
				if n := s.byNode(policyAt+uint64(i)*PageSize, 3); n != [3]int{1, 1, 1} {
					t.Fatalf("%s, by task %v: pages %d to %d are on nodes %v", name, byTask, i, i+2, n)
				}
			}
			if n, _ := CPUStats(0); name == "up" && n != pages {
				t.Errorf("%d pages", n)
			}
			s.clearAll()
		}
	}
}

// TestInterleaveHuge: pages of 2 MiB come in turn too, not by the first of their 512 parts.
func TestInterleaveHuge(t *testing.T) {
	for set, want := range map[uint64][3]int{0b111: {1024, 1024, 1024}, 0b110: {0, 1536, 1536}} {
		s := bootNodes(t, 1, 3, 3*4096, HugeAlways)
		mapAt(t, 6*512)
		setPolicyOf(t, 0, 6*512, numa.Policy{Mode: numa.Interleave, Nodes: set}, 0)
		for i := range 6 {
			s.store(0, policyAt+uint64(i)*HugeSize, 1)
		}
		if n := s.byNode(policyAt, 6*512); n != want {
			t.Errorf("%b: by node %v", set, n)
		}
		if _, huge := CPUStats(0); huge != 6 {
			t.Errorf("%d pages of 2 MiB", huge)
		}
		s.clearAll()
	}
}

// TestBindNeverFallsBack fills a node; then there is no memory for that area, and there is for others.
func TestBindNeverFallsBack(t *testing.T) {
	for _, mode := range []HugeMode{HugeNever, HugeAlways} {
		s := bootNodes(t, 1, 3, 3*1024, mode)
		mapAt(t, 2048)
		setPolicyOf(t, 0, 1536, bind1, 0)
		for i := range 1024 {
			s.store(0, policyAt+uint64(i)*PageSize, 1)
		}
		if n := s.byNode(policyAt, 1536); n != [3]int{0, 1024, 0} {
			t.Fatalf("by node %v", n)
		}
		out := s.access(0, policyAt+1024*PageSize, true, func(*uint64) {})
		if out != NoMemory {
			t.Errorf("a full node: outcome %d, want NoMemory", out)
		}
		s.store(0, policyAt+1536*PageSize, 1) // no policy
		// What is given back goes home, and is there again.
		Advise(0, policyAt, 100*PageSize, AdviseDontNeed)
		s.store(0, policyAt+1024*PageSize, 1)
		if n := s.byNode(policyAt, 1536); n != [3]int{0, 925, 0} {
			t.Errorf("by node %v", n)
		}
		s.clearAll()
	}
}

// TestPressureFallsBackByDistance: node 1's neighbours are as near as each other, node 0's are not.
func TestPressureFallsBackByDistance(t *testing.T) {
	s := bootNodes(t, 3, 3, 3*1024, HugeNever)
	s.become(0)
	for _, c := range []numa.Policy{{}, {Mode: numa.Preferred, Nodes: 1}, {Mode: numa.Local}, {Mode: numa.PreferredMany, Nodes: 1}} {
		mapAt(t, 3*1024)
		setPolicyOf(t, 0, 3*1024, c, 0)
		for i := range 1400 {
			s.store(0, policyAt+uint64(i)*PageSize, 1)
		}
		// Node 0 has the image and the tables, node 1 gives the rest, node 2 none.
		if n := s.byNode(policyAt, 1400); n[0] < 450 || n[0] > 512 || n[1] != 1400-n[0] || n[2] != 0 {
			t.Errorf("%+v: by node %v", c, n)
		}
		s.clearAll()
	}
}

// TestPolicyStaysWithTheArea cuts, merges, protects and moves areas.
func TestPolicyStaysWithTheArea(t *testing.T) {
	s := bootNodes(t, 1, 3, 3*1024, HugeNever)
	type part struct {
		from, to int
		policy   numa.Policy
	}
	expect := func(what string, at uint64, want ...part) {
		t.Helper()
		from := at
		for _, w := range want {
			a, ok := Walk(from)
			if !ok || a.Start != at+uint64(w.from)*PageSize || a.End != at+uint64(w.to)*PageSize || a.Policy != w.policy {
				t.Fatalf("%s: area %+v, want %+v", what, a, w)
			}
			from = a.End
		}
		if a, ok := Walk(from); ok && a.Start < at+32*PageSize {
			t.Fatalf("%s: one area more: %+v", what, a)
		}
	}
	none := numa.Policy{}
	mapAt(t, 16)
	setPolicyOf(t, 4, 4, bind1, 0)
	expect("cut", policyAt, part{0, 4, none}, part{4, 8, bind1}, part{8, 16, none})
	setPolicyOf(t, 8, 4, bind1, 0)
	expect("merged", policyAt, part{0, 4, none}, part{4, 12, bind1}, part{12, 16, none})
	setPolicyOf(t, 6, 2, bind2, 0)
	expect("other nodes", policyAt, part{0, 4, none}, part{4, 6, bind1}, part{6, 8, bind2}, part{8, 12, bind1}, part{12, 16, none})
	setPolicyOf(t, 6, 2, numa.Policy{Mode: numa.PreferredMany, Nodes: bind1.Nodes}, 0)
	expect("other mode", policyAt, part{0, 4, none}, part{4, 6, bind1}, part{6, 8, numa.Policy{Mode: numa.PreferredMany, Nodes: bind1.Nodes}}, part{8, 12, bind1}, part{12, 16, none})
	setPolicyOf(t, 6, 2, bind1, 0)
	Protect(0, policyAt+5*PageSize, 2*PageSize, ProtRead)
	expect("protected", policyAt, part{0, 4, none}, part{4, 5, bind1}, part{5, 7, bind1}, part{7, 12, bind1}, part{12, 16, none})
	Protect(0, policyAt, 16*PageSize, ProtRead|ProtWrite)
	expect("and back", policyAt, part{0, 4, none}, part{4, 12, bind1}, part{12, 16, none})
	Advise(0, policyAt, 16*PageSize, AdviseHugePage)
	Advise(0, policyAt, 16*PageSize, AdviseDontNeed)
	Unmap(0, policyAt+8*PageSize, PageSize)
	expect("unmapped", policyAt, part{0, 4, none}, part{4, 8, bind1}, part{9, 12, bind1}, part{12, 16, none})
	const to = policyAt + 1<<30 + 4*PageSize // in its 2 MiB as before
	if at, err := Remap(0, policyAt+4*PageSize, 4*PageSize, 6*PageSize, RemapMayMove|RemapFixed, to); at != to || err != 0 {
		t.Fatalf("Remap: %#x, error %d", at, err)
	}
	expect("moved", to, part{0, 6, bind1})
	s.store(0, to+5*PageSize, 1)
	if n := s.byNode(to, 6); n != [3]int{0, 1, 0} {
		t.Errorf("by node %v", n)
	}
	s.clearAll()
}

func TestSetPolicyErrors(t *testing.T) {
	s := bootNodes(t, 1, 3, 3*1024, HugeNever)
	mapAt(t, 4)
	local, none := numa.Policy{Mode: numa.Local}, numa.Policy{}
	s.store(0, policyAt, 1) // on node 0
	for _, c := range []struct {
		what  string
		at, n uint64
		p     numa.Policy
		flags uint64
		want  Errno
	}{
		{"unaligned", policyAt + 1, PageSize, bind1, 0, EINVAL},
		{"flags", policyAt, PageSize, bind1, 8, EINVAL},
		{"wraps", policyAt, 1<<64 - 2*PageSize, bind1, 0, EINVAL},
		{"nothing", policyAt, 0, bind1, 0, 0},
		{"rounds up to nothing", policyAt, 1<<64 - 1, bind1, 0, 0},
		{"hole behind", policyAt, 5 * PageSize, bind1, 0, EFAULT},
		{"hole before", policyAt - PageSize, 2 * PageSize, bind1, 0, EFAULT},
		{"default over holes", policyAt - PageSize, 8 * PageSize, none, 0, 0},
		{"default in a hole", policyAt - PageSize, PageSize, none, 0, EFAULT},
		{"the kernel's half", 1 << 63, PageSize, none, 0, EFAULT},
		{"all there is", 0, 1 << 63, none, 0, 0},
		{"strict, elsewhere", policyAt, PageSize, bind1, PolicyStrict, EIO},
		{"strict, elsewhere in part", policyAt, 4 * PageSize, bind1, PolicyStrict, EIO},
		{"strict, there", policyAt, PageSize, numa.Policy{Mode: numa.Bind, Nodes: 1}, PolicyStrict, 0},
		{"strict, not touched", policyAt + PageSize, PageSize, bind1, PolicyStrict, 0},
		{"strict, local names no node", policyAt, PageSize, local, PolicyStrict, EIO},
		{"strict, default", policyAt, PageSize, none, PolicyStrict, 0},
		{"strict and move", policyAt, 4 * PageSize, bind1, PolicyStrict | PolicyMove, 0},
	} {
		if err := SetPolicy(0, c.at, c.n, c.p, c.flags); err != c.want {
			t.Errorf("%s: error %d, want %d", c.what, err, c.want)
		}
	}
	if n := s.byNode(policyAt, 4); n != [3]int{0, 1, 0} {
		t.Errorf("by node %v", n)
	}
	if p, err := PolicyAt(0, policyAt); p != bind1 || err != 0 {
		t.Errorf("policy %+v, error %d", p, err)
	}
	if _, err := PolicyAt(0, policyAt-1); err != EFAULT {
		t.Errorf("policy of a hole: error %d", err)
	}
	if n, err := NodeAt(0, policyAt+3*PageSize); n != 1 || err != 0 {
		t.Errorf("node %d, error %d", n, err)
	}
	if _, err := NodeAt(0, policyAt+4*PageSize); err != EFAULT {
		t.Errorf("node of a hole: error %d", err)
	}
	s.clearAll()
}

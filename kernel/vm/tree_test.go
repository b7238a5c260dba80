package vm

import (
	"math/rand/v2"
	"testing"
)

// TestTreeManyAreas has 70,000 areas that cannot merge.
func TestTreeManyAreas(t *testing.T) {
	s := boot(t, 1, 1024, HugeNever)
	const n = 70_000
	at := func(i int) uint64 { return UserMin + uint64(i)*3*PageSize }
	if !tree.reserve(0, n) {
		t.Fatal("no nodes")
	}
	var build func(i, j int) uint32
	build = func(i, j int) uint32 {
		if i == j {
			return 0
		}
		m := (i + j) / 2
		return tree.newNode(build(i, m), area{start: at(m), end: at(m) + 2*PageSize, attr: 3}, build(m+1, j))
	}
	tree.commit(build(0, n))
	r := rand.New(rand.NewPCG(1, 2))
	auditTree(t)
	if h := height(tree.top()); h > 24 { // 1.44 * log2(70,000)
		t.Errorf("height %d", h)
	}
	// The holes of a page are the best fit, but the search goes from the top.
	if got := s.mapped(PageSize); got != userTop-PageSize {
		t.Errorf("one page at %#x", got)
	}
	if got, ok := findGap(tree.top(), PageSize, at(n/2)); !ok || got != at(n/2)-PageSize {
		t.Errorf("hole below the middle: %#x, %v", got, ok)
	}
	if got, ok := findGap(tree.top(), 2*PageSize, at(n/2)); ok {
		t.Errorf("hole of two pages: %#x", got)
	}
	for k, i := range r.Perm(n)[:400] {
		if err := Unmap(0, at(i), 2*PageSize); err != 0 {
			t.Fatalf("Unmap: %d", err)
		}
		if k%200 == 0 {
			auditTree(t)
		}
	}
	if tree.areas.Load() != n+1-400 {
		t.Errorf("%d areas are left", tree.areas.Load())
	}
	s.clearAll()
}

// TestTreeBoundOfNodes measures what a change takes, against what is reserved.
func TestTreeBoundOfNodes(t *testing.T) {
	boot(t, 1, 1024, HugeNever)
	r := rand.New(rand.NewPCG(3, 4))
	at := func(i int) uint64 { return UserMin + uint64(i)*PageSize }
	worst := 0.0
	for range 4000 {
		i := r.IntN(40_000)
		sp := span{at(i), at(i + 1 + r.IntN(1<<r.IntN(12)))}
		if !tree.reserve(0, 2) {
			t.Fatal("no nodes")
		}
		h, before := height(tree.top()), tree.free.n
		l, m, right := tree.cut(sp)
		tree.discard(m)
		var root uint32
		if r.IntN(5) == 0 {
			root = tree.concat(l, right)
		} else {
			root = tree.link(l, area{start: sp.lo, end: sp.hi, attr: r.Uint32N(8)}, right)
		}
		used := before - tree.free.n
		tree.commit(root)
		worst = max(worst, float64(used)/float64(h+4))
	}
	t.Logf("at most %.1f nodes a level, %d are reserved", worst, nodesPerLevel)
	if worst > nodesPerLevel {
		t.Errorf("a change took %.1f nodes for each level", worst)
	}
}

// TestTreeFindGapAgainstScan compares with a search of all holes.
func TestTreeFindGapAgainstScan(t *testing.T) {
	boot(t, 1, 1024, HugeNever)
	r := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		at := UserMin + r.Uint64N(1000)*PageSize
		n := (1 + r.Uint64N(20)) * PageSize
		if r.IntN(2) == 0 {
			Map(0, at, n, r.Uint64N(8), anon|MapFixed)
		} else {
			Unmap(0, at, n)
		}
		size := (1 + r.Uint64N(40)) * PageSize
		top := UserMin + r.Uint64N(1100)*PageSize
		want, found := uint64(0), false
		try := func(lo, hi uint64) {
			hi = min(hi, top)
			if hi > lo && hi-lo >= size {
				want, found = hi-size, true
			}
		}
		end := uint64(UserMin)
		for a, ok := Walk(0); ok; a, ok = Walk(a.End) {
			try(end, a.Start)
			end = a.End
		}
		try(end, UserEnd)
		if got, ok := findGap(tree.top(), size, top); ok != found || got != want {
			t.Fatalf("findGap(%#x, %#x) = %#x, %v, want %#x, %v", size, top, got, ok, want, found)
		}
	}
}

// auditTree checks the tree's invariants and that no node is lost.
func auditTree(tb testing.TB) {
	tb.Helper()
	count := uint32(0)
	last := area{}
	var check func(i uint32) (lo, hi, gap uint64, h uint32)
	check = func(i uint32) (lo, hi, gap uint64, h uint32) {
		n := node(i)
		lo, hi = n.start, n.end
		var hl, hr uint32
		if n.left != 0 {
			l, e, g, d := check(n.left)
			lo, hl, gap = l, d, max(g, n.start-e)
		}
		if n.start >= n.end || n.start < last.end || n.start == last.end && n.area().same(last) {
			tb.Fatalf("area %#x after %#x", n.area(), last)
		}
		last = n.area()
		count++
		if n.right != 0 {
			b, e, g, d := check(n.right)
			hi, hr, gap = e, d, max(gap, g, b-n.end)
		}
		h = max(hl, hr) + 1
		if n.lo != lo || n.hi != hi || n.gap != gap || n.height() != h || hl > hr+1 || hr > hl+1 {
			tb.Fatalf("node %+v: want lo %#x hi %#x gap %#x, heights %d %d", *n, lo, hi, gap, hl, hr)
		}
		return lo, hi, gap, h
	}
	if tree.top() != 0 {
		check(tree.top())
	}
	if tree.areas.Load() != int64(count) {
		tb.Fatalf("%d areas counted, there are %d", tree.areas.Load(), count)
	}
	free := uint32(0)
	for i := tree.free.first; i != 0; i = node(i).link {
		free++
	}
	if tree.retired.n != 0 || free != tree.free.n || tree.usable != 0 && free+count != tree.usable-1 {
		tb.Fatalf("%d areas, %d free nodes (counted %d), %d retired, of %d", count, free, tree.free.n, tree.retired.n, tree.usable)
	}
}

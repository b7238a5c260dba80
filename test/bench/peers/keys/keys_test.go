package keys

import (
	"slices"
	"testing"
)

func TestPatternsRepeatAndStayWithin(t *testing.T) {
	const n = 1000
	for name, p := range map[string]Pattern{"uniform": Uniform, "Zipf": Zipf} {
		a, b := p(n, Length(n)), p(n, Length(n))
		if !slices.Equal(a, b) {
			t.Errorf("%s: two runs differ", name)
		}
		if m := slices.Max(a); m >= n {
			t.Errorf("%s: %d drawn of %d", name, m, n)
		}
		count := make([]int, n)
		for _, k := range a {
			count[k]++
		}
		top, mean := slices.Max(count), len(a)/n
		if skewed := top > 20*mean; skewed != (name == "Zipf") {
			t.Errorf("%s: the most frequent of %d comes %d times in %d", name, n, top, len(a))
		}
	}
}

func TestTagsDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	for _, tag := range Tags(100000) {
		if seen[tag] || tag >= 1<<40 {
			t.Fatalf("tag %#x comes again, or is too large", tag)
		}
		seen[tag] = true
	}
}

func TestLengthIsAPowerOfTwo(t *testing.T) {
	for _, n := range []int{1, 1 << 16, 1<<16 + 1, 1 << 20} {
		if l := Length(n); l < n || l&(l-1) != 0 {
			t.Errorf("Length(%d) = %d", n, l)
		}
	}
}

package vm

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
)

const mayMove, dontUnmap = RemapMayMove, RemapMayMove | RemapDontUnmap

func TestRemapMovesWithoutCopying(t *testing.T) {
	for _, mode := range []HugeMode{HugeNever, HugeAlways} {
		s := boot(t, 1, 8192, mode)
		// From the middle of one 2 MiB page over a whole one into a third.
		base := s.mapped(4 * HugeSize)
		at, n := base+HugeSize/2, uint64(2*HugeSize)
		if err := Protect(0, at+n, PageSize, ProtRead); err != 0 {
			t.Fatal(err)
		}
		for va := base; va < base+4*HugeSize; va += 64 * PageSize {
			if va != at+n {
				s.store(0, va, va)
			}
		}
		used := ReadStats()
		whole, _, _ := s.walk(base + HugeSize)
		to, err := Remap(0, at, n, n, dontUnmap, 0)
		if err != 0 || (to^at)&(HugeSize-1) != 0 {
			t.Fatalf("Remap: %#x, error %d", to, err)
		}
		s.audit()
		if now, huge, _ := s.walk(to + HugeSize/2); now != whole || huge != (mode == HugeAlways) {
			t.Errorf("the page is %#x now, was %#x", now, whole)
		}
		if now := ReadStats(); now.Unmapped != used.Unmapped || now.Faults4K != used.Faults4K {
			t.Errorf("pages were given back or brought in: %+v, before %+v", now, used)
		}
		for va := base; va < base+4*HugeSize; va += 64 * PageSize {
			want := va
			if va-at < n {
				if v := s.load(0, to+va-at); v != va {
					t.Fatalf("%#x holds %#x at its new address", va, v)
				}
				want = 0
			}
			if va != at+n {
				if v := s.load(0, va); v != want {
					t.Fatalf("%#x holds %#x, want %#x", va, v, want)
				}
			}
		}
		// What was left behind takes no access once it has no rights, and is nobody else's.
		if err := Protect(0, at, n, ProtNone); err != 0 {
			t.Fatal(err)
		}
		if out := s.access(0, at, false, nil); out != AccErr {
			t.Errorf("access to the old address: outcome %d", out)
		}
		for range 100 {
			if got := s.mapped(n); got < at+n && at < got+n {
				t.Fatalf("the old range was given to somebody else: %#x", got)
			}
		}
		// And back.
		if got, err := Remap(0, to, n, n, RemapMayMove|RemapFixed, at); err != 0 || got != at {
			t.Fatalf("Remap back: %#x, error %d", got, err)
		}
		s.audit()
		if v := s.load(0, at); v != at {
			t.Errorf("%#x holds %#x after coming back", at, v)
		}
		if out := s.access(0, to, false, nil); out != MapErr {
			t.Errorf("access to where it was: outcome %d", out)
		}
		s.clearAll()
	}
}

func TestRemapSizes(t *testing.T) {
	s := boot(t, 1, 4096, HugeAlways)
	const at = 0x40_0000_0000
	want := func(to, addr, n, m, flags, fixed uint64) {
		t.Helper()
		if got, err := Remap(0, addr, n, m, flags, fixed); err != 0 || to != 0 && got != to {
			t.Fatalf("Remap(%#x, %d, %d): %#x, error %d, want %#x", addr, n, m, got, err, to)
		}
		s.audit()
	}
	Map(0, at, 8*PageSize, 3, anon|MapFixed)
	s.store(0, at, 1)
	want(at, at, 8*PageSize, 4*PageSize-5, 0, 0) // shrinks
	if out := s.access(0, at+4*PageSize, false, nil); out != MapErr {
		t.Errorf("beyond the new end: outcome %d", out)
	}
	want(at, at, 4*PageSize, 2*HugeSize, 0, 0) // grows in place
	s.store(0, at+2*HugeSize-8, 2)
	Map(0, at+2*HugeSize, PageSize, 1, anon|MapFixed)
	want(at, at, 2*HugeSize, 2*HugeSize, mayMove, 0) // nothing to do
	if _, err := Remap(0, at, 2*HugeSize, 3*HugeSize, 0, 0); err != ENOMEM {
		t.Errorf("no room in place: error %d", err)
	}
	to, err := Remap(0, at, 2*HugeSize, 3*HugeSize, mayMove, 0)
	if err != 0 || s.load(0, to) != 1 || s.load(0, to+2*HugeSize-8) != 2 || s.load(0, to+3*HugeSize-8) != 0 {
		t.Fatalf("grown elsewhere: %#x, error %d", to, err)
	}
	if out := s.access(0, at, false, nil); out != MapErr {
		t.Errorf("the old address: outcome %d", out)
	}
	want(at, to, 3*HugeSize, PageSize, RemapMayMove|RemapFixed, at) // smaller, to a fixed place
	if s.load(0, at) != 1 {
		t.Error("lost")
	}
	s.clearAll()
}

func TestRemapArguments(t *testing.T) {
	s := boot(t, 1, 2048, HugeNever)
	const at, n = 0x40_0000_0000, 8 * PageSize
	Map(0, at, n, 3, anon|MapFixed)
	Map(0, at+n, n, 1, anon|MapFixed)
	for _, x := range []struct {
		want                     Errno
		addr, n, m, flags, fixed uint64
	}{
		{EINVAL, at + 1, n, n, 0, 0},
		{EINVAL, at, 0, n, mayMove, 0},
		{EINVAL, at, n, 0, 0, 0},
		{EINVAL, at, n, n, 8, 0},
		{EINVAL, at, n, n, RemapFixed, at + HugeSize},
		{EINVAL, at, n, n, RemapDontUnmap, 0},
		{EINVAL, at, n, 2 * n, dontUnmap, 0},
		{EINVAL, at, n, n, RemapMayMove | RemapFixed, at + HugeSize + 1},
		{EINVAL, at, n, n, RemapMayMove | RemapFixed, at + HugeSize + PageSize},
		{EINVAL, at, 2 * HugeSize, 2 * HugeSize, RemapMayMove | RemapFixed, at + HugeSize},
		{EINVAL, at, n, n, RemapMayMove | RemapFixed, 1 << 47},
		{EINVAL, at, ^uint64(0), n, 0, 0},
		{EINVAL, at, n, ^uint64(0), mayMove, 0},
		{EINVAL, 1 << 20, n, n, mayMove, 0},
		{EFAULT, at, 2 * n, 2 * n, mayMove, 0},
		{EFAULT, at + 4*HugeSize, n, n, mayMove, 0},
		{ENOMEM, at, n, 2 * n, 0, 0},
		{ENOMEM, at, n, UserEnd - UserMin, mayMove, 0},
	} {
		if got, err := Remap(0, x.addr, x.n, x.m, x.flags, x.fixed); err != x.want || got != 0 {
			t.Errorf("%+v: %#x, error %d", x, got, err)
		}
		s.audit()
	}
	s.clearAll()
}

// remapStep moves, grows or shrinks pages of the model at random, within it.
func (m *model) remapStep(r *rand.Rand) error {
	i, j := r.IntN(modelPages), 0
	from, to := i, i
	if m.pages[i].mapped {
		from, to = m.areaOf(i)
	}
	i = from + r.IntN(max(to-from, 1))
	n := 1 + r.IntN(max(to-i, 1))
	if r.IntN(2) == 0 {
		i, n = from, max(to-from, 1)
	}
	k := n
	if r.IntN(3) == 0 {
		k = 1 + r.IntN(2*n)
	}
	flags := uint64(0)
	if r.IntN(4) != 0 {
		flags = RemapMayMove | RemapFixed | r.Uint64N(2)*RemapDontUnmap
		j = r.IntN(modelPages)&^511 | i&511
	}
	got, err := Remap(0, m.at(i), uint64(n)*PageSize, uint64(k)*PageSize, flags, m.at(j))
	what := fmt.Sprintf("Remap of %d..%d to %d pages at %d, flags %d", i, i+n, k, j, flags)
	overlap := flags != 0 && j < i+n && i < j+k
	want, at := Errno(0), i
	switch {
	case overlap, flags&RemapDontUnmap != 0 && k != n:
		want = EINVAL
	case !m.pages[i].mapped:
		want = EFAULT
	case j+k > modelPages && flags != 0, i+k > modelPages:
		// It leaves the model: bring what left it back to nothing.
		if err == 0 {
			Unmap(0, m.at(modelPages), 4*modelPages*PageSize)
		}
	case flags == 0 && k > n && m.count(i+n, k-n) != 0:
		want = ENOMEM
	}
	if flags != 0 {
		at = j
	}
	if err != want || err == 0 && got != m.at(at) {
		return fmt.Errorf("%s: %#x, error %d, want %d", what, got, err, want)
	}
	if err != 0 {
		return nil
	}
	fresh := m.pages[i]
	fresh.resident, fresh.value = false, 0
	// A part of a page that came as a whole stays; what is moved leaves its place.
	was := append([]modelPage(nil), m.pages[i:min(i+n, i+k)]...)
	if flags != 0 || k < n {
		m.fill(i, n, func(p *modelPage) {
			switch {
			case flags&RemapDontUnmap != 0:
				*p = fresh
			default:
				*p = modelPage{}
			}
		})
	}
	for x := range k {
		if at+x < modelPages {
			m.pages[at+x] = fresh
			if x < len(was) {
				m.pages[at+x] = was[x]
			}
		}
	}
	return nil
}

func TestModelRemap(t *testing.T) {
	for seed := range uint64(6) {
		s := boot(t, 1, 16384, HugeMode(seed%3))
		m := &model{s: s}
		r := rand.New(rand.NewPCG(seed, 2))
		for i := range 300 {
			step := m.step
			if i%2 == 1 {
				step = m.remapStep
			}
			if err := step(r); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
			if i%5 == 0 {
				if err := m.check(); err != nil {
					t.Fatalf("seed %d, step %d: %v", seed, i, err)
				}
				s.audit()
			}
		}
		s.clearAll()
	}
}

// TestRemapWithoutMemory refuses the k-th allocation: nothing may have changed.
func TestRemapWithoutMemory(t *testing.T) {
	s := boot(t, 1, 8192, HugeAlways)
	const at, to = 0x40_0000_0000, 0x50_0000_0000
	Map(0, at, 4*HugeSize, 3, anon|MapFixed)
	SetHuge(HugeNever)
	for va := uint64(at); va < at+2*HugeSize; va += 8 * PageSize {
		s.store(0, va, va)
	}
	SetHuge(HugeAlways)
	for va := uint64(at + 2*HugeSize); va < at+4*HugeSize; va += 8 * PageSize {
		s.store(0, va, va)
	}
	// Across 2 MiB pages at its end, and one 2 MiB page whole.
	const n = 4*HugeSize - 5*PageSize
	refused := 0
	for k := range 20 {
		s.failAt, s.refused = k, false
		got, err := Remap(0, at, n, n, RemapMayMove|RemapFixed, to)
		s.failAt = -1
		s.audit()
		where := uint64(at)
		if s.refused {
			refused++
			if err != ENOMEM {
				t.Fatalf("allocation %d refused: %#x, error %d", k, got, err)
			}
			if out := s.access(0, to, false, nil); out != MapErr {
				t.Fatalf("allocation %d refused: outcome %d in the new range", k, out)
			}
		} else if where = to; err != 0 {
			t.Fatalf("nothing refused: error %d", err)
		}
		for va := uint64(0); va < n; va += 8 * PageSize {
			if v := s.load(0, where+va); v != at+va {
				t.Fatalf("allocation %d: %#x holds %#x", k, where+va, v)
			}
		}
		if err == 0 {
			break
		}
	}
	if refused < 3 {
		t.Errorf("%d allocations refused", refused)
	}
	s.clearAll()
}

// TestTortureRemap has CPUs count at addresses from which another moves the pages
// away, and gives up what is left behind. When a move has returned nobody writes
// to the pages any more, and every count is in some page.
func TestTortureRemap(t *testing.T) {
	const ncpu, n = 3, 40 * PageSize
	const at, to = 0x40_0000_0000, 0x50_0000_0000
	rounds := 12
	if testing.Short() {
		rounds = 5
	}
	for _, mode := range []HugeMode{HugeNever, HugeAlways} {
		s := boot(t, ncpu, 8192, mode)
		Map(0, at, HugeSize, 3, anon|MapFixed)
		var done atomic.Bool
		var made, found atomic.Uint64
		s.run(func(cpu int, r *rand.Rand) {
			if cpu != 0 {
				for !done.Load() {
					va := at + r.Uint64N(n/PageSize)*PageSize
					if s.access(cpu, va, true, func(p *uint64) { atomic.AddUint64(p, 1) }) == Done {
						made.Add(1)
					}
					runtime.Gosched()
				}
				return
			}
			sum := func(base uint64) (v uint64) {
				for va := base; va < base+n; va += PageSize {
					v += s.load(0, va)
				}
				return v
			}
			breathe := func(until uint64) {
				for made.Load() < until && !t.Failed() {
					s.interrupt(0)
					runtime.Gosched()
				}
			}
			for range rounds {
				breathe(made.Load() + 20)
				got, err := Remap(0, at, n, n, RemapMayMove|RemapFixed|RemapDontUnmap, to)
				if err != 0 || got != to {
					t.Errorf("Remap: %#x, error %d", got, err)
					break
				}
				before := sum(to)
				breathe(made.Load() + 20)
				if after := sum(to); after != before {
					t.Errorf("moved pages were written to at their old address: %d, then %d", before, after)
				}
				found.Add(before)
			}
			done.Store(true)
		})
		SetHuge(HugeNever)
		left := uint64(0)
		for va := uint64(at); va < at+n; va += PageSize {
			left += s.load(0, va)
		}
		if found.Load()+left != made.Load() {
			t.Errorf("%d counted, %d found", made.Load(), found.Load()+left)
		}
		s.audit()
		s.clearAll()
	}
}

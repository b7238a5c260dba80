package vm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pdac/kernel/numa"
)

// The model of the program's memory: a page-granular map over a few 2 MiB
// ranges. What is resident comes from what was touched, except that a fault may
// bring in 512 pages at once, where that is allowed, and up to three more behind
// one that is there.

const (
	modelBase  = 0x10_0000_0000
	modelPages = 4 * 512
)

type modelPage struct {
	mapped, resident bool
	attr             uint32
	policy           numa.Policy
	node             uint8 // if resident
	value            uint64
}

type model struct {
	s     *sim
	pages [modelPages]modelPage
}

func (m *model) at(i int) uint64 { return modelBase + uint64(i)*PageSize }

// fill says what an operation left in pages [i, i+n).
func (m *model) fill(i, n int, f func(p *modelPage)) {
	for ; n > 0; i, n = i+1, n-1 {
		f(&m.pages[i])
	}
}

func (m *model) count(i, n int) (mapped int) {
	m.fill(i, n, func(p *modelPage) {
		if p.mapped {
			mapped++
		}
	})
	return mapped
}

// areaOf returns the run of like pages around i.
func (m *model) areaOf(i int) (from, to int) {
	like := func(a, b modelPage) bool {
		return a.mapped && b.mapped && a.attr == b.attr && a.policy == b.policy
	}
	from, to = i, i+1
	for from > 0 && like(m.pages[from-1], m.pages[i]) {
		from--
	}
	for to < modelPages && like(m.pages[to], m.pages[i]) {
		to++
	}
	return from, to
}

// touch loads or stores page i and checks everything about it.
func (m *model) touch(i int, write bool, value uint64) error {
	p := &m.pages[i]
	want := Done
	switch {
	case !p.mapped:
		want = MapErr
	case p.attr&protAll == 0, write && p.attr&ProtWrite == 0:
		want = AccErr
	}
	var got uint64
	out := m.s.access(0, m.at(i), write, func(w *uint64) {
		got = *w
		if write {
			*w = value
		}
	})
	if out != want {
		return fmt.Errorf("page %d, write %v: outcome %d, want %d", i, write, out, want)
	}
	if out != Done {
		return nil
	}
	if got != p.value {
		return fmt.Errorf("page %d holds %#x, want %#x", i, got, p.value)
	}
	if !p.resident {
		base := i &^ 511
		if _, shift := lookup(m.at(i)); shift == pdShift {
			from, to := m.areaOf(i)
			if from > base || to < base+512 || !wantHuge(p.attr) {
				return fmt.Errorf("page %d came with a 2 MiB page", i)
			}
			m.fill(base, 512, func(p *modelPage) { p.resident = true })
			m.adopt(base, 512)
		} else {
			m.ahead(i)
			p.resident, p.node = true, m.place(i)
		}
	}
	if write {
		p.value = value
	}
	return nil
}

// ahead says what a fault at page i brings in behind it.
func (m *model) ahead(i int) {
	from, to := m.areaOf(i)
	if i == from || i%512 == 0 || !m.pages[i-1].resident {
		return
	}
	for i++; i < to && i%aheadPages != 0 && !m.pages[i].resident; i++ {
		m.pages[i].resident, m.pages[i].node = true, m.place(i)
	}
}

// check compares areas and residency.
func (m *model) check() error {
	at := uint64(0)
	for i := 0; i < modelPages; {
		if !m.pages[i].mapped {
			i++
			continue
		}
		_, to := m.areaOf(i)
		want := Area{m.at(i), m.at(to), m.pages[i].attr & protAll, m.pages[i].attr&areaHuge != 0, m.pages[i].attr&areaNoHuge != 0, m.pages[i].policy}
		if a, ok := Walk(at); !ok || a != want {
			return fmt.Errorf("area %+v, want %+v", a, want)
		}
		at, i = m.at(to), to
	}
	if a, ok := Walk(at); ok {
		return fmt.Errorf("area %+v, want none", a)
	}
	var in [modelPages]byte
	for i := range m.pages {
		if m.pages[i].mapped {
			if err := Resident(0, m.at(i), in[i:i+1]); err != 0 || (in[i] == 1) != m.pages[i].resident {
				return fmt.Errorf("page %d: resident %d, error %d, want %v", i, in[i], err, m.pages[i].resident)
			}
			if err := m.checkNode(i); err != nil {
				return err
			}
		} else if err := Resident(0, m.at(i), in[i:i+1]); err != ENOMEM {
			return fmt.Errorf("page %d: resident, error %d, want ENOMEM", i, err)
		}
		for _, write := range []bool{false, true} {
			p := m.pages[i]
			want := p.mapped && p.attr&protAll != 0 && (!write || p.attr&ProtWrite != 0)
			if Check(0, m.at(i)+5, 7, write) != want {
				return fmt.Errorf("page %d: Check, write %v, want %v", i, write, want)
			}
		}
	}
	return nil
}

// step does one random operation in the machine and the model.
func (m *model) step(r *rand.Rand) error {
	i := r.IntN(modelPages)
	n := 1 + r.IntN(min(modelPages-i, 1<<r.IntN(11)))
	if r.IntN(4) == 0 {
		i, n = i&^511, 512
	}
	at, size := m.at(i), uint64(n)*PageSize
	fail := func(what string, err, want Errno) error {
		if err == want {
			return nil
		}
		return fmt.Errorf("%s of pages %d..%d: error %d, want %d", what, i, i+n, err, want)
	}
	hole := Errno(0)
	if m.count(i, n) != n {
		hole = ENOMEM
	}
	switch op := r.IntN(20); {
	case op < 2:
		err := Unmap(0, at, size)
		m.fill(i, n, func(p *modelPage) { *p = modelPage{} })
		return fail("Unmap", err, 0)
	case op < 4:
		prot := r.Uint64N(8)
		got, err := Map(0, at, size, prot, anon|MapFixed)
		m.fill(i, n, func(p *modelPage) { *p = modelPage{mapped: true, attr: uint32(prot)} })
		if got != at {
			return fmt.Errorf("Map of %#x gave %#x", at, got)
		}
		return fail("Map", err, 0)
	case op < 5:
		want := EEXIST
		if m.count(i, n) == 0 {
			want = 0
			m.fill(i, n, func(p *modelPage) { *p = modelPage{mapped: true, attr: 3} })
		}
		_, err := Map(0, at, size, 3, anon|MapFixedNoReplace)
		return fail("Map, no replace", err, want)
	case op < 8:
		prot := r.Uint64N(8)
		if r.IntN(2) == 0 {
			prot = 3
		}
		err := Protect(0, at, size, prot)
		if hole == 0 {
			m.fill(i, n, func(p *modelPage) { p.attr = p.attr&^protAll | uint32(prot) })
		}
		return fail("Protect", err, hole)
	case op < 10:
		err := Advise(0, at, size, []uint64{AdviseDontNeed, AdviseFree}[r.IntN(2)])
		m.fill(i, n, func(p *modelPage) { p.resident, p.value = false, 0 })
		return fail("Advise", err, hole)
	case op < 11:
		advice, attr := uint64(AdviseHugePage), uint32(areaHuge)
		if r.IntN(2) == 0 {
			advice, attr = AdviseNoHugePage, areaNoHuge
		}
		err := Advise(0, at, size, advice)
		m.fill(i, n, func(p *modelPage) {
			if p.mapped {
				p.attr = p.attr&protAll | attr
			}
		})
		return fail("Advise huge", err, hole)
	case op < 12:
		return m.setPolicy(r, i, n)
	case op < 13:
		SetHuge(HugeMode(r.IntN(3)))
		m.s.tasks[0] = m.policy(r)
		Sample(0, r.IntN(64))
		return nil
	}
	for range 20 {
		if err := m.touch(r.IntN(modelPages), r.IntN(2) == 0, r.Uint64()); err != nil {
			return err
		}
	}
	return nil
}

func TestModelRandomOperations(t *testing.T) {
	for seed := range uint64(6) {
		s := bootNodes(t, 1, 3, 6*modelPages, HugeMode(seed%3))
		s.noHuge = seed == 5
		m := &model{s: s}
		r := rand.New(rand.NewPCG(seed, 1))
		for i := range 150 {
			if err := m.step(r); err != nil {
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

// TestModelOutOfMemory refuses the k-th allocation of every operation: it must
// then have changed nothing, and lose nothing.
func TestModelOutOfMemory(t *testing.T) {
	s := bootNodes(t, 1, 3, 6*modelPages, HugeAlways)
	m := &model{s: s}
	r := rand.New(rand.NewPCG(7, 7))
	refused, cleared := 0, 0
	for i := range 1500 {
		if err := m.step(r); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		p := r.IntN(modelPages)
		n := 1 + r.IntN(modelPages-p)
		at, size := m.at(p), uint64(n)*PageSize
		before := m.count(p, n)
		s.failAt, s.refused = r.IntN(3), false
		var err Errno
		op := r.IntN(3)
		switch op {
		case 0:
			if err = Unmap(0, at, size); err == 0 {
				m.fill(p, n, func(p *modelPage) { *p = modelPage{} })
			}
		case 1:
			if err = Protect(0, at, size, 1); err == 0 {
				m.fill(p, n, func(p *modelPage) { p.attr = p.attr&^protAll | 1 })
			}
		case 2:
			// It succeeds without memory too, and then need not give all back.
			err = Advise(0, at, size, AdviseDontNeed)
			m.fill(p, n, func(p *modelPage) { p.resident, p.value = false, 0 })
			for j := p; s.refused && j < p+n; j++ {
				var in [1]byte
				Resident(0, m.at(j), in[:])
				m.pages[j].resident = in[0] == 1
			}
			if s.refused {
				cleared++
			}
		}
		if s.refused {
			refused++
		}
		if err != 0 && (err != ENOMEM || before == n && (!s.refused || op == 2)) || err == 0 && s.refused && op != 2 {
			t.Fatalf("step %d: error %d, an allocation refused: %v", i, err, s.refused)
		}
		s.failAt = 0
		for j := range 16 {
			m.s.access(0, m.at((p+j*97)%modelPages), true, func(w *uint64) {
				m.pages[(p+j*97)%modelPages].value = *w
			})
		}
		s.failAt = -1
		if i%16 == 0 {
			if err := m.check(); err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			s.audit()
		}
	}
	if refused < 5 || cleared < 5 {
		t.Errorf("only %d operations ran out of memory, %d of them to give pages back", refused, cleared)
	}
	s.clearAll()
}

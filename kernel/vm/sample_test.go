package vm

import (
	"math/rand/v2"
	"syscall"
	"testing"

	"pdac/kernel/numa"
)

// sample takes n pages, in as many calls as that needs.
func sample(t *testing.T, cpu, n int) {
	t.Helper()
	for range 1000 {
		if n -= Sample(cpu, n); n <= 0 {
			return
		}
	}
	t.Fatalf("%d samples were not to be had", n)
}

// TestSampleTellsWhoTouches has CPUs of two nodes use memory of one.
func TestSampleTellsWhoTouches(t *testing.T) {
	s := bootNodes(t, 2, 2, 4096, HugeNever)
	const pages = 512
	s.become(1)
	s.become(0)
	turn := func(cpu int) { // the other idles
		EnterIdle(1 - cpu)
		s.tids.Store(syscall.Gettid(), cpu)
		LeaveIdle(cpu)
	}
	turn(0)
	mapAt(t, pages)
	touch := func(cpu int) {
		for i := range pages {
			s.store(cpu, policyAt+uint64(i)*PageSize, uint64(i))
		}
	}
	touch(0)
	touch(0)
	if n := Seen(0, 0) + Seen(1, 0); n != 0 {
		t.Fatalf("%d accesses seen while nothing was sampled", n)
	}
	sample(t, 0, 100)
	touch(0)
	if Seen(0, 0) != 100 || Seen(1, 0) != 0 || Sampled() != 100 {
		t.Errorf("local: %d of %d, remote %d", Seen(0, 0), Sampled(), Seen(1, 0))
	}
	turn(1)
	sample(t, 1, 100)
	touch(1)
	touch(1)
	if Seen(1, 0) != 100 || Seen(0, 0) != 100 || Seen(0, 1)+Seen(1, 1) != 0 {
		t.Errorf("remote: %d, local %d", Seen(1, 0), Seen(0, 0))
	}
	turn(0)
	cpus[1].state.Store(cpuOffline)
	s.clearAll()
}

// TestSampleIsFair: on each lap every page has the same chance. Areas too small, without rights, and pages
// of 2 MiB have none.
func TestSampleIsFair(t *testing.T) {
	s := boot(t, 1, 16*1024, HugeNever)
	const pages = 8192
	mapAt(t, pages)
	small := s.mapped(sampleMin - PageSize)
	s.store(0, small, 1)
	for i := range pages {
		s.store(0, policyAt+uint64(i)*PageSize, 1)
	}
	sample(t, 0, 1)
	s.load(0, policyAt)
	hits := make([]int, pages)
	total := 0
	for total < 60_000 {
		Sample(0, SampleMost)
		for i := range pages {
			at := policyAt + uint64(i)*PageSize
			if v, _ := leafAt(at); v&pteSampled != 0 {
				hits[i]++
				total++
				s.load(0, at)
			}
		}
	}
	if sampling.stride != pages/lapSamples {
		t.Errorf("stride %d", sampling.stride)
	}
	// Chi-square over the pages: mean pages, deviation the root of twice that. Ten deviations up, and down too,
	// since draws without repetition spread more evenly than independent ones: only too uneven is wrong.
	mean := float64(total) / pages
	chi := 0.0
	for _, n := range hits {
		chi += (float64(n) - mean) * (float64(n) - mean) / mean
	}
	if chi > pages+10*128 {
		t.Errorf("chi-square %.0f over %d pages, %d samples", chi, pages, total)
	}
	if v, _ := leafAt(small); v&pteP == 0 {
		t.Error("a page of a small area was sampled")
	}
	s.clearAll()
}

// TestSampleMeetsOtherOperations ends samples in every way.
func TestSampleMeetsOtherOperations(t *testing.T) {
	const pages = 128
	at := func(i int) uint64 { return policyAt + uint64(i)*PageSize }
	for _, c := range []struct {
		name string
		do   func(s *sim)
	}{
		{"access", func(s *sim) {}},
		{"munmap", func(s *sim) { Unmap(0, at(10), 50*PageSize); mapAgain(at(10), 50) }},
		{"mmap", func(s *sim) { mapAgain(at(0), pages) }},
		{"madvise", func(s *sim) { Advise(0, at(0), pages*PageSize, AdviseDontNeed) }},
		{"mprotect", func(s *sim) {
			Protect(0, at(0), pages*PageSize, ProtRead)
			s.audit()
			if out := s.access(0, at(3), true, func(*uint64) {}); out != AccErr {
				t.Errorf("a store to a read-only page: outcome %d", out)
			}
			Protect(0, at(0), pages*PageSize, ProtRead|ProtWrite)
		}},
		{"mprotect none", func(s *sim) {
			Protect(0, at(0), pages*PageSize, ProtNone)
			s.audit()
			if out := s.access(0, at(3), false, func(*uint64) {}); out != AccErr {
				t.Errorf("a load: outcome %d", out)
			}
			Protect(0, at(0), pages*PageSize, ProtRead|ProtWrite)
		}},
		{"mremap", func(s *sim) {
			const away = policyAt + 1<<30
			Remap(0, at(0), pages*PageSize, pages*PageSize, RemapMayMove|RemapFixed, away)
			s.audit()
			Remap(0, away, pages*PageSize, pages*PageSize, RemapMayMove|RemapFixed, policyAt)
		}},
		{"mincore", func(s *sim) {
			in := make([]byte, pages)
			Resident(0, at(0), in)
			for i, b := range in {
				if b != 1 {
					t.Errorf("page %d is not resident", i)
				}
			}
		}},
		{"move to a node", func(s *sim) { setPolicyOf(t, 0, pages, bind1, PolicyMove) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := bootNodes(t, 1, 3, 3*1024, HugeNever)
			mapAt(t, pages)
			for i := range pages {
				s.store(0, at(i), uint64(i)+1)
			}
			sample(t, 0, 60)
			s.audit()
			c.do(s)
			s.audit()
			for i := range pages {
				if v := s.load(0, at(i)); v != uint64(i)+1 && v != 0 || v == 0 && c.name[0] != 'm' {
					t.Errorf("page %d holds %d", i, v)
				}
			}
			for i := range pages {
				if v, _ := leafAt(at(i)); v&pteP == 0 {
					t.Errorf("page %d is still sampled", i)
				}
			}
			s.clearAll()
		})
	}
}

func mapAgain(at uint64, pages int) {
	Map(0, at, uint64(pages)*PageSize, ProtRead|ProtWrite, anon|MapFixed)
}

// TestSampleIsBounded: a call takes no more than asked for, however much there is, and ends where there is
// nothing.
func TestSampleIsBounded(t *testing.T) {
	s := boot(t, 1, 4096, HugeAlways)
	if n := Sample(0, 10); n != 0 {
		t.Errorf("%d pages of nothing", n)
	}
	mapAt(t, 2*512)
	s.store(0, policyAt, 1)
	if n := Sample(0, 10); n != 0 {
		t.Errorf("%d pages of a page of 2 MiB", n)
	}
	SetHuge(HugeNever)
	for i := 512; i < 1024; i++ {
		s.store(0, policyAt+uint64(i)*PageSize, 1)
	}
	for _, c := range [][2]int{{-1, 0}, {0, 0}, {1, 1}, {10, 10}, {1000, SampleMost}} {
		if n := Sample(0, c[0]); n != c[1] {
			t.Errorf("Sample(%d) took %d, want %d", c[0], n, c[1])
		}
	}
	s.clearAll()
}

// TestTorturePolicies has CPUs count in pages of their own while one moves these from node to node, samples them
// and changes their protection: no count is lost, and no store goes to a frame that was given up.
func TestTorturePolicies(t *testing.T) {
	for _, mode := range []HugeMode{HugeNever, HugeAlways} {
		const ncpu, pages = 4, 1024
		s := bootNodes(t, ncpu, 2, 16*1024, mode)
		s.become(0)
		mapAt(t, pages)
		rounds := 2000
		if testing.Short() {
			rounds = 200
		}
		s.run(func(cpu int, r *rand.Rand) {
			if cpu == 0 {
				for range rounds / 8 {
					i := r.IntN(pages)
					n := 1 + r.IntN(pages-i)
					p := []uint64{1, 2, 3}[r.IntN(3)]
					switch r.IntN(4) {
					case 0:
						Sample(cpu, 100)
					case 1:
						Protect(cpu, policyAt+uint64(i)*PageSize, uint64(n)*PageSize, ProtRead|ProtWrite|ProtExec*(p&1))
					default:
						mode := []numa.Mode{numa.Bind, numa.Interleave}[r.IntN(2)]
						SetPolicy(cpu, policyAt+uint64(i)*PageSize, uint64(n)*PageSize, numa.Policy{Mode: mode, Nodes: p}, PolicyMove)
					}
					s.interrupt(cpu)
				}
				return
			}
			var mine [pages]uint64
			for range rounds * 4 {
				i := r.IntN(pages/ncpu)*ncpu + cpu
				var got uint64
				s.access(cpu, policyAt+uint64(i)*PageSize, true, func(p *uint64) {
					got = *p
					*p = got + 1
				})
				if got != mine[i] {
					t.Errorf("CPU %d, page %d: holds %d, want %d", cpu, i, got, mine[i])
					return
				}
				mine[i]++
			}
		})
		s.audit()
		s.clearAll()
	}
}

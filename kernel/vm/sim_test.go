package vm

import (
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"pdac/kernel/numa"
)

// The machine that tests run on: physical memory is a slice, CPUs are
// goroutines, and each has a TLB that only invalidations empty.

type translation struct {
	frame uint32 // of the 4 KiB page
	gen   uint32 // of that frame when the translation was cached
	write bool
}

type simCPU struct {
	tlb map[uint64]translation // by va>>12
	ipi atomic.Bool
}

type sim struct {
	tb   testing.TB
	phys []uint64
	cpus []*simCPU
	tids sync.Map // thread -> CPU

	mu     sync.Mutex
	used   []bool
	inBlk  []int // frames in use, by block of 512
	inUse  int
	limit  int             // of inUse
	failAt int             // counts down: 0 fails the next allocation and all after; negative: never
	gen    []atomic.Uint32 // odd while the frame is allocated

	refused bool // an allocation was
	noHuge  bool

	top   *numa.Topology
	tasks []numa.Policy // of the task on each CPU
}

// boot makes a machine of so many frames. The first 512 are its image: the PML4 in
// frame 1, the table for the lowest 512 GiB in frame 2.
func boot(tb testing.TB, ncpu, frames int, mode HugeMode) *sim {
	return bootNodes(tb, ncpu, 1, frames, mode)
}

// bootNodes makes a machine of several nodes that have equal parts of its frames, whole blocks;
// CPU i is on node i modulo nodes.
func bootNodes(tb testing.TB, ncpu, nodes, frames int, mode HugeMode) *sim {
	s := &sim{
		tb:     tb,
		phys:   make([]uint64, frames*entries),
		used:   make([]bool, frames),
		inBlk:  make([]int, (frames+511)/512),
		gen:    make([]atomic.Uint32, frames),
		limit:  frames,
		failAt: -1,
		top:    topology(ncpu, nodes, frames),
		tasks:  make([]numa.Policy, ncpu),
	}
	cpuNode := make([]uint8, ncpu)
	for i := range cpuNode {
		cpuNode[i] = uint8(i % nodes)
	}
	for i := range 512 {
		s.used[i] = true
	}
	s.inBlk[0] = 512
	s.phys[entries] = 2<<12 | pteTable // the image's tables, never ours to free
	for range ncpu {
		s.cpus = append(s.cpus, &simCPU{tlb: map[uint64]translation{}})
	}
	Init(Config{
		Phys: s.phys, Root: 1 << 12, NCPU: ncpu,
		Nodes: make([]Node, 1<<18), Grow: s.grow,
		Alloc: s.alloc, Spare: s.spare, Free: s.free, FreeSet: s.freeSet, Zero: s.zero,
		IPI: s.sendIPI, InvalidatePage: s.invalidate, FlushAll: s.flushAll,
		TaskPolicy: func(cpu int) numa.Policy { return s.tasks[cpu] },
		Memory:     s.top.Memory(), NodeOf: s.nodeOf, CPUNode: cpuNode,
		Huge: mode,
	})
	if ncpu == 1 {
		s.become(0)
	}
	return s
}

// become makes this goroutine a CPU.
func (s *sim) become(cpu int) {
	runtime.LockOSThread()
	s.tids.Store(syscall.Gettid(), cpu)
	CPUOnline(cpu)
}

func (s *sim) self() *simCPU {
	cpu, ok := s.tids.Load(syscall.Gettid())
	if !ok {
		panic("not a CPU")
	}
	return s.cpus[cpu.(int)]
}

func (s *sim) invalidate(va uint64) { delete(s.self().tlb, va>>12) }
func (s *sim) flushAll()            { clear(s.self().tlb) }

// sendIPI lets the target run: there are fewer host CPUs than simulated ones.
func (s *sim) sendIPI(cpu int) {
	s.cpus[cpu].ipi.Store(true)
	g := shooting.generation.Load()
	for range 100 {
		if cpus[cpu].ack.Load() >= g {
			break
		}
		runtime.Gosched()
	}
}

// interrupt takes an interrupt if there is one.
func (s *sim) interrupt(cpu int) bool {
	if s.cpus[cpu].ipi.Load() {
		s.cpus[cpu].ipi.Store(false)
		Poll(cpu)
		return true
	}
	return false
}

// fail says whether to refuse an allocation. Under mu.
func (s *sim) fail(n int) bool {
	if s.failAt == 0 || s.inUse+n > s.limit {
		s.refused = true
		return true
	}
	if s.failAt > 0 {
		s.failAt--
	}
	return false
}

func (s *sim) grow(cpu int, n uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.fail(0)
}

// allocIn takes a frame of the first node that has one.
func (s *sim) allocIn(order []uint8, huge bool) (uint32, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 1
	if huge {
		n = 512
	}
	if huge && s.noHuge || s.fail(n) {
		return 0, false
	}
	best := -1
	for _, node := range order {
		for b, c := range s.inBlk {
			if s.nodeOf(uint32(b*512)) == node && (huge && c == 0 || !huge && c < 512 && (best < 0 || c > s.inBlk[best])) {
				best = b
			}
		}
		if best >= 0 {
			break
		}
	}
	if best < 0 {
		return 0, false
	}
	for f := best * 512; f < min(best*512+512, len(s.used)); f++ {
		if !s.used[f] {
			s.take(f, n)
			return uint32(f), true
		}
	}
	return 0, false
}

func (s *sim) take(f, n int) {
	for i := f; i < f+n; i++ {
		s.used[i] = true
		s.gen[i].Add(1)
		for w := range 4 {
			s.phys[i*entries+w] = 0xdead_beef_dead_beef
		}
	}
	s.inBlk[f/512] += n
	s.inUse += n
}

func (s *sim) free(cpu int, frame uint32, huge bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 1
	if huge {
		n = 512
		if frame%512 != 0 {
			s.tb.Errorf("free of huge frame %#x", frame)
		}
	}
	for i := int(frame); i < int(frame)+n; i++ {
		if !s.used[i] || i < 512 {
			s.tb.Errorf("free of frame %#x, which is not allocated", i)
		}
		s.used[i] = false
		s.gen[i].Add(1)
	}
	s.inBlk[frame/512] -= n
	s.inUse -= n
}

func (s *sim) freeSet(cpu int, first uint32, set uint64) {
	if first%64 != 0 || set == 0 {
		s.tb.Errorf("free of set %#x at frame %#x", set, first)
	}
	for ; set != 0; set &= set - 1 {
		s.free(cpu, first+uint32(bits.TrailingZeros64(set)), false)
	}
}

func (s *sim) zero(frame uint32, huge bool) {
	n := entries
	if huge {
		n *= 512
	}
	clear(s.phys[int(frame)*entries:][:n])
}

// walk is the CPU's page walker.
func (s *sim) walk(va uint64) (e uint64, huge, ok bool) {
	t := uint64(1)
	for shift := 39; ; shift -= 9 {
		e = atomic.LoadUint64(&s.phys[t*entries+va>>shift&511])
		if e&1 == 0 {
			return e, false, false
		}
		if shift == 12 || e&(1<<7) != 0 {
			return e, shift == 21, true
		}
		t = e & 0x000f_ffff_ffff_f000 >> 12
	}
}

// access is one load or store by the program; f gets the word. The outcome is
// Done when the access was made.
func (s *sim) access(cpu int, va uint64, write bool, f func(p *uint64)) Outcome {
	c := s.cpus[cpu]
	for {
		s.interrupt(cpu)
		t, ok := c.tlb[va>>12]
		if !ok || write && !t.write {
			e, huge, present := s.walk(va)
			code := uint64(0)
			if write {
				code |= CodeWrite
			}
			if !present || write && e&2 == 0 {
				if present {
					code |= CodePresent
				}
				delete(c.tlb, va>>12)
				if out := Fault(cpu, va, code); out != Done {
					return out
				}
				continue
			}
			t = translation{frame: uint32(e & 0x000f_ffff_ffff_f000 >> 12), write: e&2 != 0}
			if huge {
				t.frame += uint32(va >> 12 & 511)
			}
			t.gen = s.gen[t.frame].Load()
			c.tlb[va>>12] = t
		}
		if g := s.gen[t.frame].Load(); g != t.gen || g&1 == 0 {
			s.tb.Errorf("cpu %d: %#x through a stale translation to frame %#x (%d, cached at %d)", cpu, va, t.frame, g, t.gen)
			return Done
		}
		f(&s.phys[uint64(t.frame)*entries+va>>3&511])
		if g := s.gen[t.frame].Load(); g != t.gen {
			s.tb.Errorf("cpu %d: frame %#x of %#x was freed during the access", cpu, t.frame, va)
		}
		return Done
	}
}

// load and store are accesses that fail the test if they fail.
func (s *sim) load(cpu int, va uint64) (v uint64) {
	s.tb.Helper()
	if out := s.access(cpu, va, false, func(p *uint64) { v = atomic.LoadUint64(p) }); out != Done {
		s.tb.Fatalf("load of %#x: outcome %d", va, out)
	}
	return v
}

func (s *sim) store(cpu int, va, v uint64) {
	s.tb.Helper()
	if out := s.access(cpu, va, true, func(p *uint64) { atomic.StoreUint64(p, v) }); out != Done {
		s.tb.Fatalf("store to %#x: outcome %d", va, out)
	}
}

// mapped maps n bytes somewhere, read-write.
func (s *sim) mapped(n uint64) uint64 {
	s.tb.Helper()
	at, err := Map(0, 0, n, ProtRead|ProtWrite, MapPrivate|MapAnonymous)
	if err != 0 {
		s.tb.Fatalf("Map of %d: error %d", n, err)
	}
	return at
}

// audit checks that the tree is well formed, that entries lie in areas and say
// what those allow, and that every frame in use is a table or a page.
func (s *sim) audit() {
	s.tb.Helper()
	auditTree(s.tb)
	tables, pages := 0, 0
	var scan func(t, va uint64, shift uint)
	scan = func(t, va uint64, shift uint) {
		for i, e := range s.phys[t*entries:][:entries] {
			at := va + uint64(i)<<shift
			if e == 0 || shift == 39 && i >= 256 {
				continue
			}
			f := e & 0x000f_ffff_ffff_f000 >> 12
			if f != 2 && s.gen[f].Load()&1 == 0 {
				s.tb.Fatalf("entry %#x for %#x is of a free frame", e, at)
			}
			if shift > 12 && e&ptePS == 0 {
				if f != 2 {
					tables++
				}
				scan(f, at, shift-9)
				continue
			}
			size := uint64(1) << shift
			pages += int(size >> 12)
			n := find(tree.top(), at)
			if n == nil || n.end < at+size {
				s.tb.Fatalf("page %#x of %#x bytes is not in one area", at, size)
			}
			want := f<<12 | e&ptePS | leaf(n.meta&protAll)
			if e&pteSampled != 0 {
				want = f<<12 | leaf(ProtNone) | pteSampled
			}
			if e != want {
				s.tb.Fatalf("entry %#x for %#x, want %#x", e, at, want)
			}
		}
	}
	scan(1, 0, 39)
	if tables+pages != s.inUse {
		s.tb.Fatalf("%d tables and %d pages, but %d frames in use", tables, pages, s.inUse)
	}
	if n := ReadStats().Tables; n != int64(tables) {
		s.tb.Fatalf("%d tables counted, there are %d", n, tables)
	}
}

// clearAll unmaps everything; only the root must be left.
func (s *sim) clearAll() {
	s.tb.Helper()
	if err := Unmap(0, UserMin, UserEnd-UserMin); err != 0 {
		s.tb.Fatalf("Unmap of everything: error %d", err)
	}
	s.audit()
	if s.inUse != 0 {
		s.tb.Fatalf("%d frames in use with nothing mapped", s.inUse)
	}
}

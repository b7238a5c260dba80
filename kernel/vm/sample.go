package vm

import (
	"sync/atomic"

	"pdac/kernel/numa"
)

// Sampled accesses: how local the program's memory is to those who use it. Faults on fresh memory cannot
// tell, since first touch makes them local. So now and then a page that is there loses its present bit,
// and the next access to it faults, says {node of the CPU, node of the frame}, and gets it back. Linux's
// automatic NUMA balancing finds out the same way (Documentation/admin-guide/sysctl/kernel.rst,
// numa_balancing).
//
// Which pages: a hand goes round the program's larger areas in order of addresses, and takes one of
// stride 4 KiB pages that are present, on average: the distance to the next is drawn anew each time,
// evenly from 1 to 2*stride-1, so that no pattern of the program's keeps step with it. Every page has the
// same chance on each lap, which costs a load for a page, and nothing for memory that is not there.
// The stride is that of lapSamples samples a lap, or shorter where a call would not get that far.
// Pages of 2 MiB are left out: one access to each 512th of them would speak for all.
//
// What a sample says: who touches a page next, whichever page. It weighs pages and not accesses: a page
// that is used a million times a second counts as one that is used once, if both are used at all.
//
// Shootdown: a batch has one. Without it nothing would break, since the frame stays the page's and all
// that takes a frame or a right away shoots down as always; but a CPU that has the translation would not
// fault, and so the samples would leave out those that use a page most, and tell of those that pass by:
// the opposite of what is asked. At ten batches a second it costs each CPU ten times the refill of its
// TLB.
//
// Who writes: the hand and the present bits are under areasLock. So no page is sampled while its area is
// unmapped, replaced, moved or changed, page tables stay, and nobody else changes the entry but faults.
// These race by compare-and-swap (fault.go): the one that makes the entry present again counts, so
// each sample counts once, or not at all if mprotect, madvise, munmap or a migration ends it before the
// access. Sampled entries that such an operation finds need no care of its own: like held ones they are
// not present, no CPU has a translation, and what the entry becomes is written whole. Nor do they keep a
// right: a fault that is faster than mprotect's walk gives back what the area has by then, since the walk shoots
// nothing down where it found no page present.
//
// A crash dump cannot read a page that is sampled at that moment (Mapped).

const (
	// SampleMost is the most that one call of Sample takes.
	SampleMost = 256

	sampleMin  = 256 << 10 // bytes of the smallest area: stacks and the like are below
	lapSamples = 1024
	scanMost   = 1 << 13 // entries that a call looks at
)

// sampler is the hand and what the samples said.
type sampler struct {
	// Under areasLock.
	at     uint64 // where it goes on
	skip   uint64 // present pages up to the next sample, that one included
	stride uint64
	passed uint64 // present pages of this lap so far
	random uint64 // xorshift's state, not 0

	taken atomic.Uint64
	seen  [numa.MaxNodes][numa.MaxNodes]atomic.Uint64 // by the CPU's node and the frame's
}

var sampling sampler

func (s *sampler) reset() {
	s.at, s.skip, s.stride, s.passed, s.random = 0, 1, 1, 0, 0x9e37_79b9_7f4a_7c15
	s.taken.Store(0)
	for i := range s.seen {
		for j := range s.seen[i] {
			s.seen[i][j].Store(0)
		}
	}
}

// Sample takes up to n pages, at most SampleMost, for their next accesses to be seen, and returns how
// many it found. It looks at a bounded number of pages, so that it may find fewer.
//
// Preconditions: those of Map.
func Sample(cpu, n int) int {
	lock(cpu)
	taken := sampling.scan(cpu, min(n, SampleMost))
	areasLock.Unlock()
	return taken
}

// scan moves the hand on.
func (s *sampler) scan(cpu, want int) (taken int) {
	lo, hi := ^uint64(0), uint64(0)
	wrapped := false
	for left := scanMost; taken < want && left > 0; {
		n := above(tree.top(), s.at)
		if n == nil {
			if wrapped {
				break
			}
			wrapped = true
			s.lap(want)
			continue
		}
		if n.end-n.start < sampleMin || n.meta&protAll == 0 {
			s.at = n.end
			left--
			continue
		}
		at := max(s.at, n.start)
		for ; at < n.end && taken < want && left > 0; left-- {
			e, shift := lookup(at)
			if shift == ptShift && s.take(e) {
				taken++
				lo, hi = min(lo, at), max(hi, at+PageSize)
			}
			at = at&^(1<<shift-1) + 1<<shift
		}
		s.at = at
	}
	if taken != 0 {
		shoot(cpu, lo, hi, false)
		s.taken.Add(uint64(taken))
	}
	return taken
}

// take samples the page of e if it is its turn.
func (s *sampler) take(e *uint64) bool {
	v := atomic.LoadUint64(e)
	if v&pteP == 0 {
		return false
	}
	s.passed++
	if s.skip--; s.skip != 0 {
		return false
	}
	s.skip = s.draw()
	return atomic.CompareAndSwapUint64(e, v, v&pteFrame|leaf(ProtNone)|pteSampled) // fails if a fault adds a right
}

// draw returns the distance to the next sample.
func (s *sampler) draw() uint64 {
	x := s.random // Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (2003)
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	s.random = x
	return 1 + x%(2*s.stride-1)
}

// lap ends a lap; the next begins in the midst of nowhere, as far as the pages know.
func (s *sampler) lap(want int) {
	s.stride = max(min(s.passed/lapSamples, scanMost/uint64(want)), 1)
	s.passed, s.at = 0, 0
	s.skip = s.draw()
}

// sampled counts the access of cpu that brought entry v back.
func sampled(cpu int, v uint64) {
	sampling.seen[machine.CPUNode[cpu]][machine.NodeOf(frameOf(v))].Add(1)
}

// above returns the first area of tree i that ends above at, or nil.
func above(i uint32, at uint64) (first *Node) {
	for i != 0 {
		if n := node(i); n.end > at {
			first, i = n, n.left
		} else {
			i = n.right
		}
	}
	return first
}

// Sampled returns how many pages Sample has taken, and Seen how many accesses by CPUs of a node to
// memory of another, or of the same, they showed. Callable from both worlds.
func Sampled() uint64 { return sampling.taken.Load() }

// Seen: see Sampled.
func Seen(cpuNode, memory int) uint64 { return sampling.seen[cpuNode][memory].Load() }

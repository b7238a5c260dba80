package vm

import (
	"sync/atomic"

	"pdac/asm"
)

// TLB shootdown: synchronous, one at a time, idle CPUs left in peace.
//
// Black, Rashid, Golub, Hill and Baron, "Translation lookaside buffer
// consistency: a software approach" (ASPLOS 1989), with generations in place of
// action queues. What must be invalidated, and that INVLPG also empties the
// paging-structure caches: Intel SDM volume 3, 4.10.4.
//
// Who writes what: the initiator, which holds areasLock, writes lo, hi, waiting
// and generation. A CPU alone writes its own ack and state.
//
// Invariant: a CPU that is active, with ack = a, may use translations that
// shootdowns after a removed, and no others.
//
// An active CPU at ack = generation-1 is being waited for, so lo and hi are
// stable while it reads them: plain words, ordered by the store of generation
// before its load, and by the store of ack before the next initiator's load.
// An active CPU further behind cannot be: it would have been waited for. An
// idle CPU can, and reads neither: it flushes everything.
//
// Idle (Dekker's handshake): LeaveIdle stores cpuActive, then loads generation;
// the initiator stores generation, then loads state. All are sequentially
// consistent. So the initiator sees the CPU active and waits for it, or the CPU
// sees the new generation and flushes before it touches program memory. A CPU
// that becomes idle between the IPI and its acknowledgement still takes the
// interrupt, before it halts.
//
// A halted CPU uses no translation, but its page walker may hold pointers to
// page tables and set bits in them. So before a page table is freed, idle CPUs
// are interrupted and waited for as well.
//
// Waiting: every CPU acknowledges in bounded time, because it runs with
// interrupts on, or in kernel code that ends, or spins in a loop that calls
// Poll. The initiator itself needs no Poll: nobody else can start a shootdown.

const (
	cpuOffline uint32 = iota
	cpuActive
	cpuIdle
)

// maxInvalidate is the number of pages beyond which one flush of everything is
// cheaper than one INVLPG each (Linux settled at 33: tlb_single_page_flush_ceiling).
const maxInvalidate = 32

type shootdown struct {
	lo, hi     uint64
	waiting    [MaxCPUs / 64]uint64
	generation atomic.Uint64
	sent       atomic.Uint64 // IPIs
}

var shooting shootdown

func (s *shootdown) reset() {
	s.generation.Store(0)
	s.sent.Store(0)
}

// shoot makes every CPU forget the translations of [lo, hi) and the page tables
// above them; those that are idle, at once only if idle is set, which is needed
// for tables and for the kernel's own pages. On return none can be used.
//
// Preconditions: areasLock is held; the entries are already changed.
func shoot(cpu int, lo, hi uint64, idle bool) {
	s := &shooting
	s.lo, s.hi = lo, hi
	g := s.generation.Add(1)
	for c := range machine.NCPU {
		if c == cpu {
			continue
		}
		st := cpus[c].state.Load()
		if st == cpuActive || st == cpuIdle && idle {
			s.waiting[c>>6] |= 1 << (c & 63)
			s.sent.Add(1)
			machine.IPI(c)
		}
	}
	flush(lo, hi)
	cpus[cpu].ack.Store(g)
	for w := range s.waiting[:(machine.NCPU+63)>>6] {
		for c := w << 6; s.waiting[w] != 0; c++ {
			if bit := uint64(1) << (c & 63); s.waiting[w]&bit != 0 {
				for cpus[c].ack.Load() < g {
					asm.Pause()
				}
				s.waiting[w] &^= bit
			}
		}
	}
}

// Poll does this CPU's part of a shootdown under way, if there is one. Called
// by the handler of the IPI, and in every spin loop that may outlast one.
func Poll(cpu int) {
	c := &cpus[cpu]
	g := shooting.generation.Load()
	a := c.ack.Load()
	if g == a {
		return
	}
	if g == a+1 && c.state.Load() == cpuActive {
		flush(shooting.lo, shooting.hi)
	} else {
		machine.FlushAll()
	}
	c.ack.Store(g)
}

// EnterIdle says that the CPU will touch no program memory until LeaveIdle.
// Interrupts stay off from here to the halt, and the halt turns them on.
func EnterIdle(cpu int) {
	Poll(cpu)
	cpus[cpu].state.Store(cpuIdle)
}

// LeaveIdle catches up with the shootdowns that left this CPU out. It precedes
// any use of program memory.
func LeaveIdle(cpu int) {
	cpus[cpu].state.Store(cpuActive)
	if g := shooting.generation.Load(); g != cpus[cpu].ack.Load() {
		machine.FlushAll()
		cpus[cpu].ack.Store(g)
	}
}

// CPUOnline makes the calling CPU take part in shootdowns. It precedes its
// first use of program memory.
func CPUOnline(cpu int) {
	cpus[cpu].state.Store(cpuActive)
	g := shooting.generation.Load()
	machine.FlushAll()
	cpus[cpu].ack.Store(g)
}

// flush forgets translations of [lo, hi) on this CPU.
func flush(lo, hi uint64) {
	if (hi-lo)>>12 > maxInvalidate {
		machine.FlushAll()
		return
	}
	for va := lo; va < hi; va += PageSize {
		machine.InvalidatePage(va)
	}
}

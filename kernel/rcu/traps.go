package rcu

import (
	"sync/atomic"

	"pdac/asm"
)

// Read sections of trap code.
//
// Paper: McKenney and Slingwine, "Read-Copy Update: Using Execution History to Solve Concurrency
// Problems" (PDCS 1998): a reader that cannot be preempted is waited for by waiting until its CPU
// has been seen outside, once. Running outside trap code is the quiescent state, so a CPU that
// computes for ever, or halts, holds nothing up.
//
// Invariant: a Section's count is odd while its CPU may hold what it found; that CPU alone writes it.
//
// Memory order: a reader makes the count odd, then looks for the thing; a writer removes the thing,
// then looks at the count. Both are sequentially consistent, so either the writer sees the odd count
// and waits for it to move, or the reader no longer finds the thing. Moved, and not even, is enough:
// whoever sees an odd count again sees a later section. A reader's last loads come before Leave, and
// the writer's reuse after the load that saw Leave.
//
// Progress: Enter and Leave are wait-free. A wait is for one section of each CPU at most, however
// many follow.
//
// Calls to keep apart: Enter and Leave alternate on a CPU. A handler that can interrupt a section (a
// page fault in it) must not use the same Section, and a task in a section must not give up the CPU.
// Who waits is not in a section. And where interrupts are off, the wait does nothing for others:
// what a section does must not wait for an interrupt to be served by the waiter, as the TLB
// shootdown of a page fault in program memory might. A waiter with such duties asks Mark and Left,
// and does them between.

// Section is the section of one CPU. Its zero value is outside. It is one word: the caller pads it
// where it matters.
//
// World: below the runtime, interrupts off; Mark and Left both worlds.
type Section struct{ n atomic.Uint64 }

// Enter begins a section, in which what the CPU finds is not reused.
//
// Preconditions: on the Section's CPU, outside.
func (s *Section) Enter() { s.n.Add(1) } // pairs with the load in Mark

// Leave ends it.
//
// Preconditions: on the Section's CPU, inside.
func (s *Section) Leave() { s.n.Add(1) } // pairs with the load in Left

// Mark returns what Left asks for.
func (s *Section) Mark() uint64 { return s.n.Load() }

// Left says whether the section that was under way at Mark, if any, has ended.
func (s *Section) Left(mark uint64) bool { return mark&1 == 0 || s.n.Load() != mark }

// Wait spins until the section that is under way at the call, if any, has ended. It inlines, to one
// load for a CPU that is outside.
func (s *Section) Wait() {
	if m := s.n.Load(); m&1 != 0 {
		s.spin(m)
	}
}

//go:noinline
func (s *Section) spin(mark uint64) {
	for s.n.Load() == mark {
		asm.Pause()
	}
}

// Traps are the sections of all CPUs, by number; the caller provides the memory, zeroed. Goroutines
// wait for them by a Domain that has them in its Config.
type Traps []TrapCPU

// TrapCPU is one CPU's Section. Padded to two cache lines, which the prefetcher fetches in pairs:
// CPUs that enter don't disturb each other.
type TrapCPU struct {
	Section
	_ [128 - 8]byte
}

// Synchronize spins until each section has ended that was under way at the call on any CPU.
//
// World: below the runtime.
func (t Traps) Synchronize() {
	for cpu := range t {
		t[cpu].Wait()
	}
}

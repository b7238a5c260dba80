package vm

import (
	"sync/atomic"

	"pdac/asm"
)

// Fault sections: how a writer knows that nobody reads an old tree any more.
//
// This is the grace period of quiescent-state-based RCU (McKenney and
// Slingwine 1998) with a counter for each CPU. Readers are below the runtime,
// where nothing preempts them, so sections are short and belong to one CPU.
//
// Invariant: cpuState.section is odd while its CPU may hold a node or an entry
// that it found through the tree. Its CPU alone writes it.
//
// A reader makes it odd, then loads the root; a writer stores the root, then
// loads the counter. Both are sequentially consistent, so either the writer
// sees the odd count and waits for it to move, or the reader sees the new root.
//
// Progress: enter and leave are wait-free. waitSections waits for each reader
// at most once; a section lasts at longest the zeroing of a 2 MiB page.

// cpuState is what one CPU writes on its own. Padded to two cache lines, since
// the prefetcher fetches them in pairs: CPUs that fault don't disturb each other.
type cpuState struct {
	section  atomic.Uint64 // odd inside a fault section
	faults4K atomic.Uint64
	faults2M atomic.Uint64
	tables   atomic.Int64  // page-table frames taken less those given back by this CPU
	backed   atomic.Uint64 // frames that Populate took

	ack   atomic.Uint64 // last shootdown done here: shoot.go
	state atomic.Uint32 // cpuOffline, cpuActive, cpuIdle: shoot.go
	_     [128 - 6*8 - 4]byte
}

var cpus [MaxCPUs]cpuState

func (c *cpuState) reset() {
	c.section.Store(0)
	c.faults4K.Store(0)
	c.faults2M.Store(0)
	c.tables.Store(0)
	c.backed.Store(0)
	c.ack.Store(0)
	c.state.Store(cpuOffline)
}

func (c *cpuState) enter() { c.section.Add(1) }
func (c *cpuState) leave() { c.section.Add(1) }

// waitSections returns once every CPU has left the section it was in at the
// call. The caller is in none and holds areasLock. No Poll is needed: the only
// one who could be waiting for our acknowledgement is the lock's holder.
func waitSections() {
	for c := range machine.NCPU {
		s := &cpus[c].section
		if v := s.Load(); v&1 != 0 {
			for s.Load() == v {
				asm.Pause()
			}
		}
	}
}

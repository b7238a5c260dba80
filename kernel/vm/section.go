package vm

import (
	"sync/atomic"

	"pdac/kernel/rcu"
)

// Fault sections: how a writer knows that nobody reads an old tree any more.
//
// A section (rcu.Section) is entered before the root of the tree is loaded, and
// left when its CPU holds no node and no entry any more that it found through
// the tree. A writer stores the root, and then waits for the sections. They are
// short: at longest the zeroing of a 2 MiB page.

// cpuState is what one CPU writes on its own. Padded to two cache lines, since
// the prefetcher fetches them in pairs: CPUs that fault don't disturb each other.
type cpuState struct {
	section  rcu.Section
	faults4K atomic.Uint64
	faults2M atomic.Uint64
	tables   atomic.Int64  // page-table frames taken less those given back by this CPU
	backed   atomic.Uint64 // frames that Populate took
	migrated atomic.Uint64 // pages that SetPolicy moved, in units of 4 KiB

	ack   atomic.Uint64 // last shootdown done here: shoot.go
	state atomic.Uint32 // cpuOffline, cpuActive, cpuIdle: shoot.go
	_     [128 - 7*8 - 4]byte
}

var cpus [MaxCPUs]cpuState

func (c *cpuState) reset() {
	c.section = rcu.Section{}
	c.faults4K.Store(0)
	c.faults2M.Store(0)
	c.tables.Store(0)
	c.backed.Store(0)
	c.migrated.Store(0)
	c.ack.Store(0)
	c.state.Store(cpuOffline)
}

// waitSections returns once every CPU has left the section it was in at the
// call. The caller is in none and holds areasLock. No Poll is needed: the only
// one who could be waiting for our acknowledgement is the lock's holder.
func waitSections() {
	for c := range machine.NCPU {
		cpus[c].section.Wait()
	}
}

package vm

import "sync/atomic"

// counts are kept by the holder of areasLock; what CPUs count without it is in
// cpuState.
type counts struct{ unmapped atomic.Uint64 }

var stats counts

func (s *counts) reset() { s.unmapped.Store(0) }

// Stats are totals since boot, unless they say otherwise.
type Stats struct {
	Faults4K   uint64 // pages of 4 KiB installed by faults
	Faults2M   uint64 // of 2 MiB
	Unmapped   uint64 // pages given back, in units of 4 KiB
	Shootdowns uint64
	IPIs       uint64 // sent for shootdowns
	Tables     int64  // frames in use for page tables
	Kernel     uint64 // frames of the kernel's arrays and stacks, and of the image's lazy part
	Areas      int64  // areas there are
	Migrated   uint64 // pages that SetPolicy moved to other nodes, in units of 4 KiB
}

// ReadStats sums up. Callable from both worlds; not a snapshot.
func ReadStats() Stats {
	s := Stats{
		Unmapped:   stats.unmapped.Load(),
		Shootdowns: shooting.generation.Load(),
		IPIs:       shooting.sent.Load(),
		Areas:      tree.areas.Load(),
	}
	for c := range machine.NCPU {
		small, huge := CPUStats(c)
		s.Faults4K += small
		s.Faults2M += huge
		s.Tables += cpus[c].tables.Load()
		s.Kernel += cpus[c].backed.Load()
		s.Migrated += cpus[c].migrated.Load()
	}
	return s
}

// CPUStats returns the pages that faults of one CPU installed. Callable from
// both worlds.
func CPUStats(cpu int) (faults4K, faults2M uint64) {
	c := &cpus[cpu]
	return c.faults4K.Load(), c.faults2M.Load()
}

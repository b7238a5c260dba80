package vm

import (
	"sync/atomic"

	"pdac/asm"
	"pdac/kernel/lockfree"
	"pdac/kernel/numa"
)

// MaxCPUs bounds CPU numbers.
const MaxCPUs = 1024

const (
	// PageSize and HugeSize are the sizes of pages in bytes.
	PageSize = 1 << 12
	HugeSize = 1 << 21

	// The program's areas lie in [UserMin, UserEnd). Like Linux it leaves the
	// last page below the hole free: a SYSCALL at its end would return to a
	// non-canonical address.
	UserMin = 1 << 32
	UserEnd = 1<<47 - PageSize

	// userTop is where the search for a place without a hint starts, downwards.
	userTop = 0x7e00_0000_0000
)

// HugeMode says which areas get 2 MiB pages.
type HugeMode uint32

const (
	HugeNever   HugeMode = iota
	HugeMadvise          // areas advised MADV_HUGEPAGE
	HugeAlways           // all but those advised MADV_NOHUGEPAGE
)

// Config is what the machine gives to Init. The functions are called with
// interrupts off; Alloc, Free and Zero must be callable from all CPUs at once
// and may not touch program memory.
type Config struct {
	Phys []uint64 // direct map of physical memory by address/8: all frames and page tables
	Root uint64   // physical address of the PML4
	NCPU int

	// Nodes holds the areas, 64 bytes each, about two for an area and 2,000 to
	// spare. Grow makes Nodes[:n] usable and returns false when it cannot; nil
	// when all of it is.
	Nodes []Node
	Grow  func(cpu int, n uint32) bool

	// Alloc takes a 4 KiB or 2 MiB frame with any contents, by a policy (Default
	// for page tables and kernel memory) for a page, which is its address in units
	// of its size; Free gives it back. A 2 MiB frame may also be given back by its
	// 512 parts. FreeSet gives back the 4 KiB frames first+i for each bit i of set;
	// first is a multiple of 64. Spare is Alloc of a 4 KiB frame that is not needed
	// yet: false where it would have to come from another node than the policy's
	// first choice, or a reserve.
	Alloc   func(cpu int, p numa.Policy, page uint64, huge bool) (frame uint32, ok bool)
	Spare   func(cpu int, p numa.Policy, page uint64) (frame uint32, ok bool)
	Free    func(cpu int, frame uint32, huge bool)
	FreeSet func(cpu int, first uint32, set uint64)
	Zero    func(frame uint32, huge bool)

	// TaskPolicy is the policy of the task that runs on cpu, for areas without one;
	// nil: tasks have none. Memory is the set of nodes with RAM, NodeOf the node of
	// a frame, CPUNode of each CPU: SetPolicy, NodeAt and Sample want them.
	TaskPolicy func(cpu int) numa.Policy
	Memory     uint64
	NodeOf     func(frame uint32) uint8
	CPUNode    []uint8

	IPI            func(cpu int) // interrupt that cpu, and have it call Poll
	InvalidatePage func(va uint64)
	FlushAll       func()

	// Pages of [LazyMin, LazyEnd), below UserMin, have no area: they are writable,
	// and backed by zeros when they are first touched.
	LazyMin, LazyEnd uint64

	Huge HugeMode
}

// machine is set by Init and constant from then on.
var machine Config

// phys is machine.Phys: page tables are reached through it.
var phys []uint64

var hugeMode atomic.Uint32

// areasLock serialises everything but faults. It is held across shootdowns, one
// for each batchLen pages removed: the longest hold is that of the largest Unmap.
// No lock is taken under it but what Config's functions take.
var areasLock lockfree.SpinLock

// Init sets up virtual memory with no areas. It runs once, at boot, on one
// CPU, before any other call; CPUOnline follows on every CPU.
func Init(c Config) {
	machine = c
	phys = c.Phys
	hugeMode.Store(uint32(c.Huge))
	for i := range cpus {
		cpus[i].reset()
	}
	shooting.reset()
	tree.reset()
	stats.reset()
	sampling.reset()
}

// Huge returns which areas get 2 MiB pages.
func Huge() HugeMode { return HugeMode(hugeMode.Load()) }

// SetHuge changes which areas get 2 MiB pages, from the next fault on.
func SetHuge(m HugeMode) { hugeMode.Store(uint32(m)) }

// lock takes areasLock. The holder may be waiting for this CPU's
// acknowledgement of a shootdown, so the wait gives it.
func lock(cpu int) {
	for areasLock.Held() || !areasLock.TryLock() {
		Poll(cpu)
		asm.Pause()
	}
}

package cap

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"pdac/kernel/lockfree"
	"pdac/kernel/rcu"
)

// The table's memory, and how it grows.
//
// Four arrays by slot: hot entries (16 bytes, the index), cold ones (40), links of free lists (4),
// and records of formulas and accounts (64). Each is reserved at its full size. Records are touched
// where there is one, the others a chunk at a time, by the CPU that needs it, so the pages of a
// chunk come from that CPU's node. limit is the first slot without memory; everything compares a
// slot with it before touching an entry.
//
// Words and writers:
//
//	limit   by CAS, up a chunk at a time, after the chunk's words are filled
//	homes   who moved limit over the chunk, before any of its slots is on a free list
//
// Filling is a CAS from zero for each word, so that it can be done by several CPUs at the same
// time, and by one that comes late when the slot has had tenants: a word is zero only before it is
// filled (its tag is not zero later, and what it lacks as filled isn't; in slot 2^24-1 the fill is
// zero itself, and changes nothing).
//
// Linearization: growth at the CAS of limit.
//
// Reclamation: none; a table's memory is for ever, and entries are type-stable.
//
// Progress: lock-free: a CAS of limit fails only because somebody else's succeeded. Readers take no
// notice.

// MaxSlots is the size of the largest table.
const MaxSlots = 1 << slotBits

// chunk is the number of slots that the table grows by.
const chunk = 1024

// Space is an account that holds capabilities: it answers for what is done by them. 0 is the
// kernel.
type Space uint32

// Config says what a Table works with.
type Config struct {
	Slots  int               // size, rounded up to a multiple of 1,024; one is lost. 0: MaxSlots
	CPUs   int               // CPU numbers are below this
	NodeOf func(cpu int) int // nil: all on node 0
	Now    func() uint64     // monotonic clock, ns; with Look and Verdict called below the runtime too
	Key    [2]uint64         // random, different at each boot: who knows it can make identifiers
	RCU    *rcu.Domain       // for as many CPUs; gated calls run in its sections

	// CacheAbove is where the per-CPU caches of Lookup begin to be used, see
	// SetCacheAbove; below 0: not before that is called. 0: they can't be, which was
	// the faster where it was measured (cache.go), and makes Revoke cheaper.
	CacheAbove int64

	// Reserve returns zeroed memory that takes up space only where it is
	// touched, and that lives as long as the table. nil: from mmap.
	Reserve func(bytes int) ([]byte, error)
}

// Table holds capabilities.
type Table struct {
	// Constant after New, but for limit, which hardly ever changes.
	hot        unsafe.Pointer // *[slots]entry
	limit      atomic.Uint32
	cacheAbove atomic.Uint32
	slots      uint32
	cold       []cold
	records    []record
	links      []uint32 // lockfree.Stack's
	tags       permutation
	rcu        *rcu.Domain
	leaves     *rcu.Domain // leaf.go: sections that EndSpace alone waits for
	now        func() uint64
	cpus       int
	locals     []local         // by CPU: slots.go
	nodes      [][]uint32      // CPUs, by node
	nodeOf     []uint32        // by CPU
	homes      []atomic.Uint32 // node of each chunk
	sweeping   atomic.Bool     // room.go
	retired    lockfree.Counter

	cells         []cell // cache.go: by CPU
	changing      []atomic.Uint32
	caches        bool // constant
	deaf          bool // tests alone: caches are not told of changes
	misses, fills lockfree.Counter

	minted, treasury atomic.Int64 // gas.go
	spent            lockfree.Counter

	objects  registry
	waits    waits
	insiders insiders
	consents consents
}

// cold is what only the slow path and the derivation tree touch. Its writers are named where its
// words are used: tree.go, create.go, transfer.go, wait.go, formula.go.
type cold struct {
	generation atomic.Uint64 // of the latest tag; 0 before the first
	parent     atomic.Uint32 // slot; 0: a root. Constant from fill to reclamation
	first      atomic.Uint32 // slot of the newest child; 0: none
	next       atomic.Uint32 // slot of the next older sibling, and bits of tree.go
	space      atomic.Uint32
	formula    atomic.Uint32 // slot of the nearest record, at or above; 0: none
	waiters    atomic.Int32
	tombs      atomic.Uint32
	sweepAt    atomic.Uint32
}

const entryBytes = unsafe.Sizeof(entry{})

// New returns an empty table. It reserves memory and touches none. Errors are those of the
// configuration and of Reserve.
func New(c Config) (*Table, error) {
	if c.Slots == 0 {
		c.Slots = MaxSlots
	}
	switch {
	case c.Slots < 2 || c.Slots > MaxSlots:
		return nil, fmt.Errorf("cap: a table of %d slots; 2 to %d can be", c.Slots, MaxSlots)
	case c.CPUs < 1:
		return nil, fmt.Errorf("cap: a table for %d CPUs", c.CPUs)
	case c.RCU == nil || c.Now == nil:
		return nil, fmt.Errorf("cap: a table needs RCU and a clock")
	}
	slots := (c.Slots + chunk - 1) / chunk * chunk
	t := &Table{
		slots:   uint32(slots),
		caches:  c.CacheAbove != 0,
		tags:    newPermutation(c.Key),
		rcu:     c.RCU,
		leaves:  rcu.New(rcu.Config{CPUs: c.CPUs, CPU: c.RCU.CPU}),
		now:     c.Now,
		cpus:    c.CPUs,
		locals:  make([]local, c.CPUs),
		nodeOf:  make([]uint32, c.CPUs),
		homes:   make([]atomic.Uint32, slots/chunk),
		retired: make(lockfree.Counter, c.CPUs),
		misses:  make(lockfree.Counter, c.CPUs),
		fills:   make(lockfree.Counter, c.CPUs),
		spent:   make(lockfree.Counter, c.CPUs),
	}
	for cpu := range t.nodeOf {
		n := 0
		if c.NodeOf != nil {
			n = c.NodeOf(cpu)
		}
		for len(t.nodes) <= n {
			t.nodes = append(t.nodes, nil)
		}
		t.nodeOf[cpu] = uint32(n)
		t.nodes[n] = append(t.nodes[n], uint32(cpu))
	}

	m := arena{reserve: c.Reserve, oneNode: len(t.nodes) == 1}
	t.hot = unsafe.Pointer(unsafe.SliceData(reserve[entry](&m, slots, dense)))
	t.cold = reserve[cold](&m, slots, dense)
	t.links = reserve[uint32](&m, slots, dense)
	t.records = reserve[record](&m, slots, sparse)
	t.cells = reserve[cell](&m, c.CPUs*cells, sparse)
	t.changing = reserve[atomic.Uint32](&m, cells, sparse)
	t.objects.links = reserve[uint32](&m, maxObjects, sparse)
	if m.err != nil {
		return nil, m.err
	}
	t.SetCacheAbove(c.CacheAbove)
	return t, nil
}

// at returns a slot's entry. The comparison of the slot with limit, which its callers have made, is
// the check of bounds.
func (t *Table) at(slot uint32) *entry { return t.entry(uintptr(slot)) }

// entry is at for a slot as wide as an address, which saves Check two instructions.
func (t *Table) entry(slot uintptr) *entry {
	return (*entry)(unsafe.Add(t.hot, slot*entryBytes))
}

// grow gives the table another chunk, from the node of a CPU, and puts its slots on that node's
// free list. False: the table has its full size.
func (t *Table) grow(cpu int) bool {
	for {
		from := t.limit.Load()
		to := from + chunk
		if from == t.slots {
			return false
		}
		for slot := from; slot < to; slot++ {
			t.at(slot).word.CompareAndSwap(0, join(makeID(slot, 0), revoked))
			t.cold[slot].generation.CompareAndSwap(0, 0) // touch
		}
		if !t.limit.CompareAndSwap(from, to) {
			continue
		}
		home := t.nodeOf[cpu]
		t.homes[from/chunk].Store(home)
		from = max(from, 1) // slot 0 is none
		for slot := to - 1; slot > from; slot-- {
			lockfree.Link(t.links, slot-1, slot)
		}
		t.locals[cpu].free.PushList(t.links, from, to-1)
		return true
	}
}

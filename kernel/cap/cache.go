package cap

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
)

// The cache: for each CPU a dense copy of the entries that are looked up most there.
//
// A cell has a copy of an entry, and one word that says what the copy is worth:
//
//	guard  63..26 fills | 25 FRESH | 24 FILLING | 23..0 slot
//
//	EMPTY (zero) -> FILLING+FRESH -> FRESH -> STALE (neither) -> FILLING+FRESH
//	FILLING+FRESH -> FILLING -> STALE
//
// Words and writers:
//
//	guard     by CAS: who wins FILLING, which adds a fill, fills the cell; anyone takes FRESH away.
//	          FILLING is taken away by who set it
//	entry     who set FILLING
//	changing  by adding, who takes something out of a word: how many do, by place of the cells
//	caches    constant: whether there can be caches at all
//
// Invariant: a guard that is FRESH and not FILLING belongs to a copy that was made whole after its
// FILLING, of a word that has lost nothing since.
//
// Why a cache never answers otherwise than the table. Who takes something out of an entry's word, or
// gives it another tag (Revoke, Narrow, Transfer: all by change), counts himself in changing, takes
// FRESH out of the guard of the slot's cell on each CPU, does it, and leaves changing. Who fills a
// cell sets FILLING, then looks at changing, and if nobody is there loads the word. (Dekker's
// pattern.) Either the fill sees the changer, and its copy doesn't count; or it has looked after the
// changer left, and sees the word changed; or before he came: then he finds the slot in the guard, and
// takes FRESH away before he changes the word, also from a cell that is still being filled, whose
// last CAS fails for it. A hit is a guard with this slot, FRESH and not FILLING before the copy is
// read, and the same guard afterwards: so the copy is all of one fill, and at the second load the
// word had all that the copy says. A hit linearizes there, as a check of the word itself would, and Lookups
// through caches, Checks and changes have one order. (What a Grant adds the copy lacks: a miss, no
// wrong answer.)
//
// In a table without caches change is but a CAS. Rejected: to find out at each change whether they are on, which
// wants every change to be in a section that turning them on waits for.
//
// A goroutine that fills a cell may be stopped for long and move. Its cell answers nobody meanwhile,
// and nobody waits. Nor does anybody wait for who has been stopped in change; while he is in
// changing, no cell of that place is filled.
//
// Wrap: a reader is fooled if it stands still between its loads of the guard while the cell is filled
// a multiple of 2^38 times, some hours of nothing else, and the last time with the same slot.
//
// Linearization: a hit at the second load of the guard.
//
// Progress: a hit is wait-free, a fill gives up when it has met another; invalidate is lock-free.
//
// What it is worth, and why it is off unless somebody asks for it. A copy takes half a cache line; a
// hot entry a quarter, beside three that may be cold. So the CPU's caches do already what this does, as
// densely as it does, and what is left to gain is translations: the cells are on 64 pages, a table of 16
// million on 65,536 small ones or on 128 large (memory.go). Against that stand the loads of the guard, a
// probe before each miss, and a branch that can't be predicted, at which the overlap of independent
// lookups ends; and each Revoke looks at a cell of every CPU. ns per lookup past / through the cache on
// a busy EPYC (family 1Ah) under a hypervisor:
//
//	go test ./kernel/cap -run '^$' -bench 'Lookup/size=(65536|1048576|16777216)' -benchtime 3x
//
//	                                       independent   each waits for the one before
//	   64k  zipf 1.2   11% miss  2 MiB       2.7 /  7        6 /  14
//	    1M  zipf 0.99  49% miss  2 MiB        14 / 38       76 /  82
//	    1M  zipf 0.99  49% miss  4 KiB        15 / 41       72 /  76
//	    1M  zipf 1.2   16% miss  4 KiB        10 / 20       21 /  26
//	    1M  uniform    99% miss  4 KiB        20 / 59      148 / 148
//	   16M  zipf 0.99  60% miss  2 MiB        26 / 72      158 / 156
//	   16M  zipf 0.99  60% miss  4 KiB        34 / 91      216 / 191
//	   16M  zipf 1.2   19% miss  2 MiB        16 / 32       44 /  52
//	   16M  zipf 1.2   19% miss  4 KiB        25 / 44       65 /  66
//
// So it gains in one case alone, a tenth: dependent lookups in the largest table, with small pages and
// many misses; and there independent ones take more than twice as long. No threshold of size tells these
// apart, so the default is none; where translations or remote memory are dearer, or by a tuner, it can
// be turned on. Off, it costs Lookup a compare with a word beside limit.
//
// Rejected: telling the caches after the change (until that is done a Lookup gives what a Check has
// refused, so the two together don't linearize at the word); SLOW in the word meanwhile instead of
// changing (who clears it, and a third who sets it again, could come between another's look and his
// CAS). Version numbers by groups of slots, compared at a hit (one more line to load, and a Revoke
// takes its neighbours along). 2,048 cells for each CPU, to fit a first-level cache (no better). A
// pointer to either cell or entry, chosen without a branch (the compiler makes a branch of it). A note
// of what missed last, to fill only what misses twice (its store, an XCHG, ends the overlap of misses).

// cell is one copy, half a cache line.
type cell struct {
	guard atomic.Uint64
	entry entry
	_     uint64
}

const (
	filling = 1 << 24
	fresh   = 1 << 25
	oneFill = 1 << 26

	// cellBits: 8,192 cells for each CPU are 256 KiB, a part of the second-level cache.
	cellBits = 13
	cells    = 1 << cellBits

	// fillShare: one in so many misses fills a cell. What is looked up often gets
	// in soon, and most of the rest does not come to push it out.
	fillShare = 8

	uncached = math.MaxUint32 // slots that no table outgrows
)

// CacheStats are estimates: one miss in 8 is counted, at random.
type CacheStats struct {
	Misses int64 // lookups that the cache was asked for in vain
	Fills  int64
}

// SetCacheAbove makes Lookup go through the CPU's cache while the index, 16 bytes for each slot
// with memory, takes more than so many bytes: sensibly, the size of the hardware's cache. 0: never. It
// may be called at any time, and does nothing in a table whose Config.CacheAbove was 0.
func (t *Table) SetCacheAbove(bytes int64) {
	slots := int64(uncached)
	if bytes > 0 && t.caches {
		slots = min(bytes/int64(entryBytes), slots)
	}
	t.cacheAbove.Store(uint32(slots))
}

// cell returns where a CPU's copy of a slot would be.
func (t *Table) cell(cpu int, slot uint32) *cell {
	return &t.cells[cpu<<cellBits|place(slot)]
}

// place returns which of a CPU's cells is for a slot.
func place(slot uint32) int {
	const golden = 0x9e3779b1 // 2^32/phi: Knuth, TAOCP 3, 6.4
	return int(slot * golden >> (32 - cellBits))
}

// lookupCached is Lookup's way through the cache.
//
// Preconditions: the slot has memory, and need is of AllPerms.
func (t *Table) lookupCached(cpu int, id ID, need Perm) (Object, error) {
	c := t.cell(cpu, id.Slot())
	guard := c.guard.Load()
	if uint32(guard)&(oneFill-1) == id.Slot()|fresh {
		o := c.entry.object.Load()
		w := c.entry.word.Load()
		if (w^uint64(id))&(uint64(need)|decisive) == 0 && c.guard.Load() == guard { // pairs with invalidate's CAS
			return Object(o), nil
		}
	}
	return t.lookupMissed(cpu, c, id, need)
}

func (t *Table) lookupMissed(cpu int, c *cell, id ID, need Perm) (Object, error) {
	e := t.at(id.Slot())
	o := e.object.Load()
	if (e.word.Load()^uint64(id))&(uint64(need)|decisive) != 0 {
		return t.lookupSlow(cpu, id, need)
	}
	if rand.Uint32()%fillShare == 0 {
		t.misses.Add(cpu, fillShare)
		if guard, ok := t.beginFill(c, id.Slot()); ok {
			t.endFill(c, guard, id)
			t.fills.Add(cpu, 1)
		}
	}
	return Object(o), nil
}

// beginFill takes a cell for a slot. False: somebody else is filling it.
func (t *Table) beginFill(c *cell, slot uint32) (guard uint64, ok bool) {
	old := c.guard.Load()
	guard = old&^(oneFill-1) + oneFill | filling | fresh | uint64(slot)
	return guard, old&filling == 0 && c.guard.CompareAndSwap(old, guard) // pairs with the load in invalidate
}

// endFill copies the entry and ends what beginFill began, with that guard. The copy counts only
// under the identifier that was looked up: it was handed out before, so, as in Lookup, the object that
// is loaded before its word is its own. Beside the word of a later tenant that object could still be
// the one before, and nobody tells the caches when a slot gets a tenant.
func (t *Table) endFill(c *cell, guard uint64, id ID) {
	e := t.at(id.Slot())
	busy := t.changing[place(id.Slot())].Load() != 0 // after FILLING; pairs with the add in change
	o := e.object.Load()
	w := e.word.Load() // after changing
	if is, _ := split(w, id.Slot()); is != id || busy {
		c.guard.Store(guard &^ (filling | fresh))
		return
	}
	c.entry.object.Store(o)
	c.publish(guard, w)
}

// publish is the last step of a fill. A cell that has lost FRESH meanwhile stays without.
func (c *cell) publish(guard, word uint64) {
	c.entry.word.Store(word)
	if !c.guard.CompareAndSwap(guard, guard&^filling) {
		c.guard.Store(guard &^ (filling | fresh))
	}
}

// change is the CAS by which an entry's word loses something, or its identifier. From before it
// until after it no cache answers for the slot.
func (t *Table) change(slot uint32, from, to uint64) bool {
	word := &t.at(slot).word
	if !t.caches || t.deaf {
		return word.CompareAndSwap(from, to)
	}
	changing := &t.changing[place(slot)]
	changing.Add(1) // pairs with the load in endFill
	t.invalidate(slot)
	changed := word.CompareAndSwap(from, to)
	changing.Add(^uint32(0))
	return changed
}

// invalidate takes a slot out of the caches.
func (t *Table) invalidate(slot uint32) {
	for cpu := range t.cpus {
		c := t.cell(cpu, slot)
		for {
			guard := c.guard.Load()
			if uint32(guard)&slotMask != slot || guard&fresh == 0 || c.guard.CompareAndSwap(guard, guard&^fresh) {
				break
			}
		}
	}
}

func (t *Table) cacheStats() CacheStats {
	return CacheStats{Misses: t.misses.Sum(), Fills: t.fills.Sum()}
}

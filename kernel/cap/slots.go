package cap

import (
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// Free slots.
//
// A slot is in use, or free with a CPU of its node, or retired: its generations are used up. It becomes
// free a grace period after the last link to it was cut (reclaim.go); so who takes a slot is alone with
// it, but for readers that come with an old identifier and find a word that lacks everything.
//
// Words and writers, for each CPU:
//
//	spare   by CAS from 0, who gives the slot; swapped for 0, who takes it
//	free    a lockfree.Stack, which argues itself
//
// A slot is in one of them, by who gave it. Most are taken again by the CPU that gave them, by way of the
// spare, with their lines still in its cache. (The links of a list are four bytes each, so that a CPU that
// pushes a slot takes the line away from those that have slots nearby.) What was below the top of a Revoke is
// pushed at once. Rejected: a list for each node, whose top moves from CPU to CPU with each slot, and the
// slots' lines after it.
//
// Linearization: give at its CAS of spare or free; take at its Swap or CAS. A take that finds nothing has
// seen each of the lists empty at some time, not all at one.
//
// Progress: lock-free.

// local is what belongs to one CPU, on cache lines of its own, so that CPUs that create and revoke don't
// disturb each other. Which CPU it is is a hint (rcu.Config.CPU): all are right, the others slower.
type local struct {
	spare  atomic.Uint32 // a free slot; 0: none
	free   lockfree.Stack
	counts [events]atomic.Int64
	_      [2*lockfree.CacheLine - 8*(2+events)]byte // the prefetcher fetches lines in pairs
}

// take returns a free slot of the CPU's; 0: it has none.
func (l *local) take(links []uint32) uint32 {
	if l.spare.Load() != 0 {
		if slot := l.spare.Swap(0); slot != 0 {
			return slot
		}
	}
	slot, _ := l.free.Pop(links) // 0 if there is none
	return slot
}

func (l *local) give(links []uint32, slot uint32) {
	if l.spare.Load() != 0 || !l.spare.CompareAndSwap(0, slot) {
		l.free.Push(links, slot)
	}
}

// take returns a free slot: the CPU's own, else one of its node's, else new memory, else any. False: no
// slot is free; those whose grace period isn't over are not, nor those of tombs, which are then made so.
func (t *Table) take(cpu int) (uint32, bool) {
	if slot := t.locals[cpu].take(t.links); slot != 0 {
		return slot, true
	}
	for {
		for _, near := range t.nodes[t.nodeOf[cpu]] {
			if slot := t.locals[near].take(t.links); slot != 0 {
				return slot, true
			}
		}
		if !t.grow(cpu) {
			break
		}
	}
	for far := range t.locals {
		if slot := t.locals[far].take(t.links); slot != 0 {
			return slot, true
		}
	}
	t.makeRoom()
	return 0, false
}

// give makes a slot free, with the CPU or, if the slot's memory is on another node, with one of that; or retires it.
//
// Preconditions: the caller is the only one who can reach the slot.
func (t *Table) give(cpu int, slot uint32) {
	if !t.keeps(cpu, slot) {
		if t.cold[slot].generation.Load() >= lastGeneration {
			t.retired.Add(cpu, 1)
			return
		}
		there := t.nodes[t.homes[slot/chunk].Load()]
		cpu = int(there[slot%uint32(len(there))])
	}
	t.locals[cpu].give(t.links, slot)
}

// keeps reports whether a slot that is given by the CPU stays with it.
func (t *Table) keeps(cpu int, slot uint32) bool {
	return t.homes[slot/chunk].Load() == t.nodeOf[cpu] && t.cold[slot].generation.Load() < lastGeneration
}

// tally counts n times an event.
func (t *Table) tally(cpu, event int, n int64) { t.locals[cpu].counts[event].Add(n) }

// count sums up an event over the CPUs: as lockfree.Counter's, no snapshot.
func (t *Table) count(event int) (sum int64) {
	for cpu := range t.locals {
		sum += t.locals[cpu].counts[event].Load()
	}
	return sum
}

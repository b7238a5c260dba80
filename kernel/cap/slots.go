package cap

import "pdac/kernel/lockfree"

// Free slots.
//
// A slot is in use, or on the free list of its node (lockfree.Stack, which argues itself), or
// retired: its generations are used up. A list gets it back a grace period after the last link to
// it was cut (reclaim.go); so who takes a slot is alone with it, but for readers that come with an
// old identifier and find a word that lacks everything.
//
// Progress: lock-free.

// node is the free list of one node, on cache lines of its own: nodes don't disturb each other.
type node struct {
	free lockfree.Stack
	_    [2*lockfree.CacheLine - 8]byte
}

// take returns a free slot: one of the CPU's node, else new memory, else another node's. False: no
// slot is free; those whose grace period isn't over are not, nor those of tombs, which are then made so.
func (t *Table) take(cpu int) (uint32, bool) {
	home := t.nodeOf[cpu]
	for {
		if slot, ok := t.nodes[home].free.Pop(t.links); ok {
			return slot, true
		}
		if !t.grow(cpu) {
			break
		}
	}
	for i := range t.nodes {
		if slot, ok := t.nodes[i].free.Pop(t.links); ok {
			return slot, true
		}
	}
	t.makeRoom()
	return 0, false
}

// give puts a slot on the free list of its node, or retires it.
//
// Preconditions: the caller is the only one who can reach the slot.
func (t *Table) give(slot uint32) {
	if t.cold[slot].generation.Load() >= lastGeneration {
		t.retired.Add(t.spread(slot), 1)
		return
	}
	t.nodes[t.homes[slot/chunk].Load()].free.Push(t.links, slot)
}

// spread is a CPU number for counting what belongs to a slot, where the caller's own isn't known.
func (t *Table) spread(slot uint32) int { return int(slot) % t.cpus }

// Package table has the tables that a kernel in Go could keep its capabilities in, each with the
// loops that read it. The loops are written out for each table: a generic one would call it through
// a dictionary, an interface through a table of methods, and the call would be part of the figure.
// They differ in nothing but the lookup.
package table

import (
	"sync/atomic"

	"pdac/test/bench/peers/keys"
)

// Table is a filled table. What is looked up is an entry by its identifier, and then whether it
// allows what is needed.
type Table interface {
	// Read looks up n identifiers of seq from place from on, wrapping, and returns how many were
	// there and allowed. cpu is the caller's, as far as the table wants to know; the length of seq
	// is a power of two.
	Read(cpu int, seq []uint64, from, n int) int
}

// Chaser is a table whose lookups find something.
type Chaser interface {
	Table
	// Chase is Read with each place depending on the entry found before.
	Chase(cpu int, seq []uint64, from, n int) int
}

// Writable is a table that is measured with a writer beside its readers.
type Writable interface {
	Table
	// Replace takes the entry with identifier old out, puts another in, and returns its identifier.
	Replace(cpu int, old uint64) uint64
}

// Kind names a table and fills one with n entries. Identifiers are returned in an order that is
// random with respect to slots.
type Kind struct {
	Name  string
	Build func(n int) (Table, []uint64)
	holds bool // the entries themselves, not pointers to them
}

// XsyncMap is the name of the peer that the others are compared with.
const XsyncMap = "xsync.Map"

// Peers returns the tables of others.
func Peers() []Kind {
	return []Kind{
		{Name: "map, unsynchronised", Build: buildPlain},
		{Name: "Mutex, map", Build: buildMutex},
		{Name: "RWMutex, map", Build: buildRWMutex},
		{Name: "sync.Map", Build: buildSync},
		{Name: XsyncMap, Build: buildXsync},
		{Name: "xsync.Map of values", Build: buildXsyncValues, holds: true},
		{Name: "slots of pointers", Build: buildSlots},
		{Name: "slots of 64 bytes", Build: buildInline, holds: true},
	}
}

// entry is what the peers' tables point to: a capability that permissions can be taken from in place.
type entry struct {
	id   uint64
	word atomic.Uint64 // active and permissions
	step uint64        // 0: what Chase adds to its place
	_    [5]uint64     // a line each, as the heap aligns 64 bytes
}

const (
	active = 1 << 23
	all    = 0xff
	need   = active | 1 | 2
)

func newEntry(id uint64) *entry {
	e := &entry{id: id}
	e.word.Store(active | all)
	return e
}

// allows is the check: one load, all bits needed.
func (e *entry) allows() bool { return e.word.Load()&need == need }

// slotBits is the width of the slot number in an identifier, below the tag.
const slotBits = 24

// Fill puts n entries in by put and returns their identifiers.
func Fill(n int, put func(id uint64)) []uint64 {
	tags := keys.Tags(n)
	ids := make([]uint64, n)
	for i, slot := range keys.Permutation(n) {
		ids[i] = tags[i]<<slotBits | uint64(slot)
		put(ids[i])
	}
	return ids
}

// slot is where the tables of slots keep id.
func slot(id uint64) uint64 { return id & (1<<slotBits - 1) }

// renamed returns the identifier of what replaces id, in its slot.
func renamed(id uint64) uint64 { return keys.NextTag(id>>slotBits)<<slotBits | slot(id) }

package cap

import "sync/atomic"

// The hot word: identity, state and permissions of a capability in 64 bits.
//
//	word = identifier XOR lacks        lacks, below 2^24, has a bit for each thing that is missing
//
// To XOR the word with an identifier gives what its capability lacks if it is this one, and
// something above 2^24 if it isn't. So one AND with {tag, INACTIVE, SLOW, asked permissions} that
// gives zero answers all at once, and that is the whole of Check.
//
//	lacks  23 INACTIVE | 22 SLOW | 21 PENDING | 20 DIRTY | 19..0 permissions that it does not have
//
//	NEW      INACTIVE, the rest as it will be    not published yet: derive.go
//	ACTIVE   INACTIVE clear                      SLOW: ask formula and gas as well
//	REVOKED  all bits: it lacks everything       terminal for this identifier
//	DELETED  as REVOKED, the slot is free        the next tenant has another tag
//
//	NEW -> ACTIVE -> REVOKED -> DELETED, NEW -> REVOKED
//
// PENDING and DIRTY are grant.go's, and only an ACTIVE word has them.
//
// Writers: by a plain store the owner of a slot that nothing links to (owned.go); afterwards everyone
// by CAS. From REVOKED no CAS leads away. The tag changes in two places: when an owner fills the
// slot, and in Transfer.
//
// Rejected: {tag, has} with the permissions that there are. It takes one instruction more to
// separate tag from slot, and one to compare with all that is asked instead of with zero.

// state is the low part of a word: what the capability lacks.
type state uint32

const (
	dirty    state = 1 << 20
	pending  state = 1 << 21
	slow     state = 1 << 22
	inactive state = 1 << 23
	revoked  state = 1<<slotBits - 1

	// decisive are the bits that Check wants to be zero, whatever is asked.
	decisive = ^uint64(revoked) | uint64(inactive|slow)
)

func (s state) active() bool         { return s&inactive == 0 }
func (s state) perms() Perm          { return ^Perm(s) & AllPerms }
func (s state) with(p Perm) state    { return s &^ state(p) }
func (s state) without(p Perm) state { return s | state(p) }

// lacking is the state of a NEW entry with these permissions.
func lacking(p Perm, isSlow bool) state {
	s := inactive | state(^p&AllPerms)
	if isSlow {
		s |= slow
	}
	return s
}

// entry is the hot half of a capability, and all that Check and Lookup touch.
type entry struct {
	word   atomic.Uint64
	object atomic.Uint64 // written before the word that publishes it, and not again until the tag is gone
}

func join(id ID, s state) uint64 { return uint64(id) ^ uint64(s) }

// split takes a slot's word apart.
func split(w uint64, slot uint32) (ID, state) {
	s := state((uint32(w) ^ slot) & slotMask)
	return ID(w ^ uint64(s)), s
}

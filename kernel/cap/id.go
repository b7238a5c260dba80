package cap

import "math/bits"

// Identifiers, and the permutation that makes them unguessable.
//
//	63..24 tag | 23..0 slot
//
// A slot's tenants are numbered by its generation, which only grows. The tag is a keyed permutation
// of the generation, another one for each slot: so tags of one slot never repeat, and its inverse
// tells a generation that was from one that never was, without remembering any.
//
// The permutation is a balanced Feistel network (Luby and Rackoff, "How to construct pseudorandom
// permutations from pseudorandom functions", SIAM J. Comput. 17(2), 1988) over two halves of 20
// bits. Its round function is SipHash-1-3 (Aumasson and Bernstein, INDOCRYPT 2012) of one 64-bit
// block that holds slot, round and half; the block that would tell the message's length is left
// out, since all have the same. Four rounds make a strong pseudorandom permutation as long as an
// attacker has seen few values of it, about 2^(20/2) here; eight rounds are beyond the bound of
// 2^20 that more rounds can give (Patarin, "Security of random Feistel schemes with 5 or more
// rounds", CRYPTO 2004).
//
// Fewer rounds would make a new identifier cheaper: eight take 64 ns, a third of Create. They are
// kept, since who derives and revokes in turn sees a million tags of one slot in a second, so the
// bound is passed, and what counts from there on is the margin of the best attack that is known. That
// would take the whole codebook of 2^40 with six rounds, and more than that with eight (ibid.).
//
// Guesses: of a slot's 2^40-1 tags one is right at a time, and to who doesn't have the key each is
// equally likely, however near to one that he knows: the neighbours of a valid identifier in the
// tag are as good as any other number, and those in the slot belong to another permutation. So 2^24
// guesses find a capability with a probability of 2^-16, and 2^39, at a hundred million in a
// second for an hour and a half, with one half for a single table entry that nobody revokes
// meanwhile.
//
// Tags are never 0. Where the permutation gives 0 its value at 0, which is no generation, takes
// the place (cycle walking: Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA
// 2002).

// ID is an identifier of a capability: whoever knows it may use it. 0 is none.
type ID uint64

const (
	slotBits = 24
	slotMask = 1<<slotBits - 1

	halfBits = 20
	halfMask = 1<<halfBits - 1
	rounds   = 8

	// lastGeneration is the last one that a slot has; then it is retired.
	lastGeneration = 1<<(2*halfBits) - 1
)

func makeID(slot uint32, tag uint64) ID { return ID(tag<<slotBits | uint64(slot)) }

// Slot returns the number of the table's entry. It names no capability and gives no right.
func (id ID) Slot() uint32 { return uint32(id) & slotMask }

func (id ID) tag() uint64 { return uint64(id) >> slotBits }

// permutation is the keyed state from which each SipHash starts.
type permutation [4]uint64

// newPermutation takes a key of 128 random bits.
func newPermutation(key [2]uint64) permutation {
	return permutation{ // SipHash's constants: "somepseudorandomlygeneratedbytes"
		key[0] ^ 0x736f6d6570736575,
		key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261,
		key[1] ^ 0x7465646279746573,
	}
}

// tag returns the tag of a generation from 1 to lastGeneration.
func (p *permutation) tag(slot uint32, generation uint64) uint64 {
	if tag := p.encrypt(slot, generation); tag != 0 {
		return tag
	}
	return p.encrypt(slot, 0)
}

// generation returns the generation of a tag; 0 for tag 0, which none has.
func (p *permutation) generation(slot uint32, tag uint64) uint64 {
	if tag == 0 {
		return 0
	}
	if g := p.decrypt(slot, tag); g != 0 {
		return g
	}
	return p.decrypt(slot, 0)
}

func (p *permutation) encrypt(slot uint32, x uint64) uint64 {
	l, r := x>>halfBits, x&halfMask
	for i := range uint64(rounds) {
		l, r = r, l^p.round(slot, i, r)
	}
	return l<<halfBits | r
}

func (p *permutation) decrypt(slot uint32, x uint64) uint64 {
	l, r := x>>halfBits, x&halfMask
	for i := range uint64(rounds) {
		l, r = r^p.round(slot, rounds-1-i, l), l
	}
	return l<<halfBits | r
}

// round is the round function: half a block from half a block.
func (p *permutation) round(slot uint32, i, half uint64) uint64 {
	m := i<<(halfBits+slotBits) | uint64(slot)<<halfBits | half
	a, b, c, d := sipRound(p[0], p[1], p[2], p[3]^m)
	a ^= m // the block is in; what follows finishes
	a, b, c, d = sipRound(a, b, c^0xff, d)
	a, b, c, d = sipRound(a, b, c, d)
	a, b, c, d = sipRound(a, b, c, d)
	return (a ^ b ^ c ^ d) & halfMask
}

func sipRound(a, b, c, d uint64) (uint64, uint64, uint64, uint64) {
	a += b
	c += d
	b = bits.RotateLeft64(b, 13) ^ a
	d = bits.RotateLeft64(d, 16) ^ c
	a = bits.RotateLeft64(a, 32)
	c += b
	a += d
	b = bits.RotateLeft64(b, 17) ^ c
	d = bits.RotateLeft64(d, 21) ^ a
	c = bits.RotateLeft64(c, 32)
	return a, b, c, d
}

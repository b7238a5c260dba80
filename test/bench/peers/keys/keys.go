// Package keys makes the sequences by which the tables are read. All are the same in every run and
// for every table: a table gets the sequence of entry numbers, put into its own identifiers.
package keys

import "math/rand/v2"

// A Pattern draws length numbers below n.
type Pattern func(n, length int) []uint32

// source is seeded by what it is for and by the size, so that no two sequences are correlated.
func source(what, n int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(what), uint64(n)))
}

// Permutation returns the numbers below n in random order, as slots and memory come to lie after
// long uptime.
func Permutation(n int) []int {
	return source(1, n).Perm(n)
}

// Tags returns n different tags of 40 bits, for the identifiers of the peers.
func Tags(n int) []uint64 {
	tags := make([]uint64, n)
	tag := source(2, n).Uint64()
	for i := range tags {
		tag = NextTag(tag)
		tags[i] = tag
	}
	return tags
}

// NextTag returns the tag after one: all 2^40 come before the first comes back, so none does
// (Knuth, The Art of Computer Programming, volume 2, 3.2.1.2, theorem A; multiplier and increment
// are those of his MMIX).
func NextTag(tag uint64) uint64 {
	return (tag*6364136223846793005 + 1442695040888963407) & (1<<40 - 1)
}

// Uniform draws each number equally often.
func Uniform(n, length int) []uint32 {
	r := source(3, n)
	s := make([]uint32, length)
	for i := range s {
		s[i] = uint32(r.IntN(n))
	}
	return s
}

// Zipf draws the k-th most frequent number with probability proportional to k^-1.1; which numbers
// are the frequent ones is random.
func Zipf(n, length int) []uint32 {
	r := source(4, n)
	place := r.Perm(n)
	z := rand.NewZipf(r, 1.1, 1, uint64(n-1))
	s := make([]uint32, length)
	for i := range s {
		s[i] = uint32(place[z.Uint64()])
	}
	return s
}

// Length is that of the sequences over n entries: a power of two, long enough that no branch
// predictor learns it, and that a table larger than the caches is read from memory.
func Length(n int) int {
	length := 1 << 16
	for length < n {
		length *= 2
	}
	return length
}

// Of puts a sequence of entry numbers into the entries' identifiers.
func Of(ids []uint64, s []uint32) []uint64 {
	seq := make([]uint64, len(s))
	for i, k := range s {
		seq[i] = ids[k]
	}
	return seq
}

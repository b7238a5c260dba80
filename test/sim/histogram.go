package sim

import "math/bits"

// Histogram counts durations in ns, 32 buckets to each power of two: a quantile is at most 1/32 too high.
type Histogram struct {
	counts [60 * 32]uint64
	n      uint64
	max    uint64
}

func (h *Histogram) add(ns uint64) {
	h.counts[bucket(ns)]++
	h.n++
	h.max = max(h.max, ns)
}

func bucket(ns uint64) int {
	if ns < 32 {
		return int(ns)
	}
	shift := bits.Len64(ns) - 6
	return (shift+1)*32 + int(ns>>shift) - 32
}

// Quantile returns a duration that a share q of the counted ones don't exceed; 0 if none was counted.
func (h *Histogram) Quantile(q float64) uint64 {
	rank := uint64(q * float64(h.n))
	for i, c := range h.counts {
		if rank < c {
			if i < 64 {
				return uint64(i)
			}
			shift := i/32 - 1
			return min(uint64(i%32+33)<<shift-1, h.max)
		}
		rank -= c
	}
	return h.max
}

// Max returns the longest.
func (h *Histogram) Max() uint64 { return h.max }

// jain collects Jain's fairness index, (sum x)² / (n sum x²): 1 when all are equal, 1/n when one has all (R. Jain,
// D. Chiu, W. Hawe, DEC TR-301, 1984).
type jain struct{ n, sum, squares float64 }

func (j *jain) add(x float64) {
	j.n++
	j.sum += x
	j.squares += x * x
}

func (j *jain) index() float64 {
	if j.squares == 0 {
		return 1
	}
	return j.sum * j.sum / (j.n * j.squares)
}

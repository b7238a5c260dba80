package board

import (
	"sync/atomic"
	"testing"

	"pdac/asm"
)

// TestRefineClockKeepsSpecial: a new rate must leave the readers that add their
// CPU's offset on the long way, and none of them waiting.
func TestRefineClockKeepsSpecial(t *testing.T) {
	defer func(c clock, r reference, b uint64) { wallclock, ref, rateFuzz = c, r, b }(wallclock, ref, rateFuzz)
	for _, special := range []uint64{0, seqSpecial} {
		wallclock = clock{seq: special, tscBase: asm.RDTSC(), mult: 1 << 31}
		ref = reference{"TSC/2", func() uint64 { return asm.RDTSC() / 2 }, 1000000, 1<<62 - 1, 0}
		refTSC, refLast, refFuzz = sample()
		refSpan, refSeen = 0, 0
		for i := range 8 {
			before := wallclock.seq
			rateFuzz = noDeadline // any rate is better
			refineClock()
			if seq := wallclock.seq; seq&seqWriting != 0 || seq&seqSpecial != special || seq == before {
				t.Fatalf("refinement %d: sequence number %#x after %#x", i, seq, before)
			}
		}
	}
}

// TestTSCAtWhileRateChanges: what tscAt returns belongs to the old rate or to the
// new one.
func TestTSCAtWhileRateChanges(t *testing.T) {
	defer func(c clock) { wallclock = c }(wallclock)
	wallclock = clock{mult: 1 << 32} // a count a nanosecond, and the two bases equal
	var done atomic.Bool
	go func() {
		c := &wallclock
		for i := uint64(1); i <= 200_000; i++ {
			atomic.AddUint64(&c.seq, seqWriting)
			atomic.StoreUint64(&c.nsBase, i<<20)
			atomic.StoreUint64(&c.tscBase, i<<20)
			atomic.AddUint64(&c.seq, seqStep-seqWriting)
		}
		done.Store(true)
	}()
	const far = 1 << 50
	for !done.Load() {
		if got := tscAt(far); got != far {
			t.Fatalf("tscAt(%#x) = %#x", uint64(far), got)
		}
	}
}

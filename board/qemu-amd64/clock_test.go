package board

import (
	"sync/atomic"
	"testing"

	"pdac/asm"
)

// TestRefineClock: a new rate is written once, and leaves no reader waiting.
func TestRefineClock(t *testing.T) {
	defer func(c clock, r reference, b uint64) { wallclock, ref, rateFuzz = c, r, b }(wallclock, ref, rateFuzz)
	wallclock = clock{tscBase: asm.RDTSC(), mult: 1 << 31}
	ref = reference{"TSC/2", func() uint64 { return asm.RDTSC() / 2 }, 1000000, 1<<62 - 1, 0}
	refTSC, refLast, refFuzz = sample()
	refSpan, refSeen = 0, 0
	for i := range uint64(8) {
		rateFuzz = noDeadline // any rate is better
		refineClock()
		if c := &wallclock; c.begun != i+1 || c.written != i+1 {
			t.Fatalf("refinement %d: %d rates begun, %d written", i, c.begun, c.written)
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
		for i := uint64(1); i <= 200_000; i++ {
			wallclock.setRate(i<<20, i<<20, 1<<32)
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

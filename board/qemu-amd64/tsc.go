package board

import (
	"sync/atomic"

	"pdac/asm"
	"pdac/kernel/klog"
)

// Each AP compares its time stamp counter with the BSP's when it starts, by an
// exchange as in NTP: the AP asks, the BSP answers with its counter, the AP
// notes its own before and after. The shortest of a few round trips bounds the
// offset to half of itself. Counters that agree within that bound are taken as
// they are; else the CPU gets an offset to the BSP's, and readers add it. Where
// they seem to differ more rounds are taken, where they don't few will do: with
// more virtual CPUs than real ones a round trip is a turn of the host's scheduler.
const (
	minRounds  = 3
	syncRounds = 32

	syncIdle   = 0
	syncAsked  = 1
	syncAnswer = 2
)

type syncSlot struct {
	state uint32 // atomic
	_     uint32
	tsc   uint64 // BSP's, while state is syncAnswer
}

var syncSlots [maxCPUs]syncSlot

// serveSync answers AP i, if it asks. BSP.
func serveSync(i int) {
	s := &syncSlots[i]
	if atomic.LoadUint32(&s.state) == syncAsked {
		s.tsc = asm.RDTSC()
		atomic.StoreUint32(&s.state, syncAnswer)
	}
}

// syncTSC measures the offset of this AP's counter.
func syncTSC(c *percpu) {
	s := &syncSlots[c.slot]
	best, offset := noDeadline, uint64(0)
	for i := range syncRounds {
		if i >= minRounds && within(offset, best) {
			break
		}
		a := asm.RDTSC()
		atomic.StoreUint32(&s.state, syncAsked)
		for atomic.LoadUint32(&s.state) != syncAnswer {
			asm.Pause()
		}
		b := asm.RDTSC()
		if b-a < best {
			best, offset = b-a, s.tsc-(a+(b-a)/2)
		}
	}
	atomic.StoreUint32(&s.state, syncIdle)
	if !within(offset, best) {
		c.tscOffset = offset
		if atomic.SwapUint64(&wallclock.perCPU, 1) == 0 {
			klog.New(klog.Warn).Str("clock: CPU ").Dec(c.slot).Str("'s TSC is off by ").Int(int64(offset)).Str(" counts; offsets are added").End()
		}
	}
}

// within tells whether a signed offset is no larger than bound.
func within(offset, bound uint64) bool {
	d := int64(offset)
	return d <= int64(bound) && -d <= int64(bound)
}

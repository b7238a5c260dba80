package sched

import "math/bits"

// Ageing. A band that has been passed over for longer than its limit is served next, before any that is more urgent, so that no READY
// task waits for ever: a task of its band is served at least once in every limit, it is FIFO (or its draw is fair), and the limits are finite.
// Who is served so runs its quantum, which only urgent tasks interrupt; before these it gets MinQuantum, which is what a
// deliverable signal may be late by.
//
// Limits are in quanta of the class, so that a class of long turns, which needs to wait for long ones, is not always late. A class
// under Lottery has a limit as one; for its bands there is a longer one that shares of a thousandth don't reach.
const (
	ageQuanta     = 32
	ageRareQuanta = 1024
)

// overdue returns the band, or the slot, that has waited the longest beyond its limit. It is asked when there is a choice, but
// not more than once in MinQuantum.
func (c *CPU) overdue(set, e, now uint64) (band uint32, yes bool) {
	c.nextAge = now + MinQuantum
	worst := uint64(0)
	late := func(b uint32, since, limit uint64) {
		if now > since && now-since > limit && now-since-limit > worst {
			band, worst, yes = b, now-since-limit, true
		}
	}
	if e > reserved {
		if e != c.loneSeen {
			c.loneSeen, c.loneSince = e, now
		}
		late(loneSlot, c.loneSince, ageQuanta*Get(named(e)).slice())
	}
	if set&(1<<frontBit) != 0 {
		late(frontBit, c.frontSince, ageQuanta*quanta[(c.frontBand-firstBand)/bandsPerClass].Load())
	}
	for k := range uint32(nClasses) {
		first := uint32(firstBand + k*bandsPerClass)
		mine := set & classMask(first)
		if mine == 0 {
			continue
		}
		limit := ageQuanta * quanta[k].Load()
		if lotteries.Load()>>first&1 != 0 {
			last := uint64(0)
			for b := first; b < first+bandsPerClass; b++ {
				last = max(last, c.bands[b].since.Load())
			}
			b := uint32(bits.TrailingZeros64(mine))
			if late(b, last, limit); yes && band == b {
				band = c.draw(set, b)
			}
			limit = ageRareQuanta * quanta[k].Load()
		}
		for ; mine != 0; mine &= mine - 1 {
			b := uint32(bits.TrailingZeros64(mine))
			late(b, c.bands[b].since.Load(), limit)
		}
	}
	return band, yes
}

package board

import (
	"sync/atomic"

	"pdac/asm"
	"pdac/kernel/klog"
)

// Each AP compares its time stamp counter with the BSP's when it starts, by an
// exchange as in NTP: the AP asks, the BSP answers with its counter, the AP
// notes its own before and after. The shortest round trip bounds the error of
// the offset to half of itself. Counters that agree within that bound are taken
// as they are; else the CPU gets an offset to the BSP's, and readers add it.
//
// On hardware syncRounds take some microseconds. Where virtual CPUs share the
// host's, a round trip can take a turn of its scheduler: syncPatience ends it.
const (
	syncRounds   = 16
	syncPatience = 500_000 // ns
)

// tscExchange is what the BSP and the AP that it serves talk over.
var tscExchange struct {
	turn uint64 // atomic: odd when the AP has asked, even when the BSP has answered, syncDone
	tsc  uint64 // BSP's, with the answer
}

const syncDone = ^uint64(0)

// serveSync takes a parked AP through its exchange. BSP.
func serveSync(c *percpu) {
	x := &tscExchange
	x.turn = 0
	c.nudge(syncAsked)
	for {
		switch t := atomic.LoadUint64(&x.turn); {
		case t == syncDone:
			return
		case t%2 != 0:
			x.tsc = asm.RDTSC()
			atomic.StoreUint64(&x.turn, t+1)
		default:
			asm.Pause()
		}
	}
}

// syncTSC measures the offset of this AP's counter.
func syncTSC(c *percpu) {
	x := &tscExchange
	best, offset := noDeadline, uint64(0)
	first := asm.RDTSC()
	for i := range uint64(syncRounds) {
		a := asm.RDTSC()
		atomic.StoreUint64(&x.turn, 2*i+1)
		for atomic.LoadUint64(&x.turn) != 2*i+2 {
			asm.Pause()
		}
		b := asm.RDTSC()
		if b-a < best {
			best, offset = b-a, x.tsc-(a+(b-a)/2)
		}
		if mul32(b-first, wallclock.mult) > syncPatience {
			break
		}
	}
	if d, bound := int64(offset), int64(best+1)/2; d > bound || -d > bound {
		c.tscOffset = offset
		if atomic.SwapUint32(&clockAnywhere, 1) == 0 {
			klog.New(klog.Warn).Str("clock: CPU ").Dec(c.id).Str("'s TSC is off by ").Int(d).Str(" counts; offsets are added").End()
		}
	}
	atomic.StoreUint64(&x.turn, syncDone)
}

package rcu

import (
	"time"

	"pdac/asm"
)

// pace is how a goroutine waits for a word to change: it spins, for a reader that runs on another
// CPU; then yields, for one that waits for this CPU; then sleeps, for one that is blocked.
type pace struct {
	spins int // of maxSpins
	turn  int
	yield func()
	sleep func(time.Duration)
}

const (
	maxSpins = 64 // PAUSEs of up to 140 cycles (Intel optimization manual, 2.5.4): 3 us
	yields   = 64
	minSleep = 20 * time.Microsecond
	doubling = 6 // times: to 1.28 ms
)

// wait waits a little, each time longer. It reports whether it has left the CPU.
func (p *pace) wait() bool {
	p.turn++
	switch n := p.turn - p.spins; {
	case n <= 0:
		asm.Pause()
		return false
	case n <= yields:
		p.yield()
	default:
		p.sleep(minSleep << min(n-yields-1, doubling))
	}
	return true
}

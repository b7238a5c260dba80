package sched

import (
	"math/bits"
)

// The draw of a class under Lottery.
//
// Papers: C. A. Waldspurger, W. E. Weihl, "Lottery Scheduling: Flexible Proportional-Share Resource Management", OSDI 1994, also for
// compensation tickets (4.5); Y. Matias, J. S. Vitter, W.-C. Ni, "Dynamic Generation of Discrete Random Variates", SODA 1993, for the
// rejection by groups; D. Lemire, "Fast Random Integer Generation in an Interval", TOMACS 29(1), 2019, for the multiplication.
//
// Band k of the class holds tasks of 2^k to 2^(k+1)-1 tickets. A band is drawn with the chance count*2^(k+1), and the entry at
// its head accepted with the chance tickets/2^(k+1), at least a half; else it goes to the back, and band and head are drawn again. So
// each task is chosen with the chance of its tickets, if heads are as good as drawn from the band: the order within one depends on
// earlier draws only, all of which took or moved heads, and not on tickets. Expected are less than two draws.
//
// What is in a band of other tickets (the policy or the tickets changed) is rejected too, or accepted for certain; it goes to
// the band where it belongs. Stale entries at the heads are thrown away before a draw: tasks that are signalled while they wait leave
// one each time. The counts may be off by what is under way, and by stale entries between others. After maxDraws the head is taken as
// it is.
//
// The order of a band is FIFO, so that a task that was rejected waits for the others of the band: over n tasks of equal tickets the
// shares are nearer to equal than those of independent draws.

// maxDraws bounds a draw: with the chance of 2^-32 it is not fair.
const maxDraws = 32

// draw rejects entries of the class whose bands begin at, or contain, b, until the head of a band is the one to be run, and returns
// that band. set is CPU.bits.
func (c *CPU) draw(set uint64, b uint32) uint32 {
	first := firstOf(b)
	mine := set & classMask(first)
	for range maxDraws {
		total := uint64(0)
		for s := mine; s != 0; s &= s - 1 {
			k := uint32(bits.TrailingZeros64(s))
			if _, _, ok := c.head(k); !ok { // this throws stale ones away, which count
				mine &^= 1 << k
				continue
			}
			total += uint64(c.bands[k].count.Load()) << (k - first + 1)
		}
		if mine == 0 {
			return b // empty: pick finds out
		}
		r, _ := bits.Mul64(c.random(), total)
		for s := mine; s != 0; s &= s - 1 {
			b = uint32(bits.TrailingZeros64(s))
			w := uint64(c.bands[b].count.Load()) << (b - first + 1)
			if r < w {
				break
			}
			r -= w
		}
		e, place, ok := c.head(b)
		if !ok {
			if mine &^= 1 << b; mine == 0 {
				return b // empty: pick finds out
			}
			continue
		}
		tk := Get(named(e))
		if r, _ = bits.Mul64(c.random(), 1<<(b-first+1)); r < uint64(tk.tickets()) {
			return b
		}
		if n, ok := c.bands[b].PopFirst(nodes, place); ok {
			c.bands[b].count.Add(^uint32(0))
			back := tk.band()
			c.enter(back, e, n, c.since)
			mine |= 1 << back & classMask(first)
		}
	}
	return b
}

// tickets returns those that count in the next draw.
func (tk *Task) tickets() uint32 {
	if boost := tk.boost.Load(); boost != 0 {
		return boost
	}
	return tk.weight.Load() >> 16
}

// lotteryBand returns the band of a task whose class has band b.
func (tk *Task) lotteryBand(b, tickets uint32) uint32 {
	if boost := tk.boost.Load(); boost != 0 {
		tickets = boost
	}
	return firstOf(b) + log2(tickets)
}

// compensate raises the tickets of the current task, which leaves the CPU of its own accord at time now, by the part of its quantum
// that it leaves unused: f of it used, 1/f times as many until it is drawn next.
func (c *CPU) compensate(tk *Task, now uint64) {
	if q := tk.slice(); now < tk.quantumEnd {
		used := max(q-min(tk.quantumEnd-now, q), q/MaxTickets, 1)
		tk.boost.Store(uint32(min(uint64(tk.weight.Load()>>16)*q/used, MaxTickets)))
	}
}

// random returns the next of the CPU's random numbers (xorshift64*; S. Vigna, "An Experimental Exploration of Marsaglia's xorshift
// Generators, Scrambled", ACM TOMS 42(4), 2016).
func (c *CPU) random() uint64 {
	x := c.rng
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	c.rng = x
	return x * 0x2545f4914f6cdd1d
}

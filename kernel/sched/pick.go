package sched

import "math/bits"

// What is next in a run queue where there is a choice, and what may be seen of it from outside. runq.go argues it.

// popBand makes the head of a band RUNNING. 0: it was stale, or there was none; then the bit is cleared.
func (c *CPU) popBand(b uint32) (t ID) {
	bd := c.at(b)
	e, n, ok := bd.Pop(nodes)
	if !ok {
		c.hide(b)
		return 0
	}
	if bd.count.Add(^uint32(0)) == 0 {
		c.hide(b) // so that who comes next finds the queue empty, and the lone slot to be used
	}
	if !run(e) {
		spares.Push(nodeLinks, n)
		return 0
	}
	bd.since.Store(c.since) // not for one that is stale: that serves nobody
	t = named(e)
	Get(t).node.Store(n)
	return t
}

// pick is pop where there is a choice to make, or something empty or stale to clear away.
func (c *CPU) pick() (t ID) {
	for {
		set := c.bits.Load()
		e := c.lone.Load()
		if set == 0 && e <= reserved {
			if c.bits.Load() == 0 {
				return 0
			}
			continue
		}
		if set != 0 && e > reserved && lotteries.Load() != 0 {
			c.joinOthers(e) // in a draw it is one of them
			continue
		}
		b, aged := c.choose(set, e)
		switch {
		case b == loneSlot:
			if c.lone.CompareAndSwap(e, 0) && run(e) {
				t = named(e)
			}
		case b == frontBit:
			t = c.popFront()
		case !aged && lotteries.Load()>>b&1 != 0:
			t = c.popBand(c.draw(set, b))
		default:
			t = c.popBand(b)
		}
		if t == 0 {
			if aged {
				c.nextAge = 0 // it is still its turn
			}
			continue
		}
		c.protected = aged
		if aged && set&(1<<urgentBand) != 0 && b != urgentBand {
			Get(t).quantumEnd = MinQuantum // what is urgent waits no longer than this
		}
		return t
	}
}

// choose returns the band to be served next, or a slot: who has waited too long, else the most urgent, the slots' before others of
// their bands. e is the lone entry.
func (c *CPU) choose(set, e uint64) (b uint32, aged bool) {
	if c.since >= c.nextAge {
		if b, aged = c.overdue(set, e, c.since); aged {
			return b, true
		}
	}
	b = uint32(bits.TrailingZeros64(set &^ (1 << frontBit)))
	rank := b
	if e > reserved {
		if r := Get(named(e)).band(); r <= rank {
			b, rank = loneSlot, r
		}
	}
	if set&(1<<frontBit) != 0 && c.frontBand <= rank {
		b = frontBit
	}
	return b, false
}

// joinOthers moves the task of the lone slot to its band.
func (c *CPU) joinOthers(e uint64) {
	t, w := named(e), readyWord(e)
	c.lone.CompareAndSwap(e, 0)
	if tk := Get(t); tk.take(w, StateWaking) {
		c.queue(t, tk, fromWaking, false)
	}
}

// hide clears the bit of a band that was seen empty.
//
//go:noinline
func (c *CPU) hide(b uint32) {
	bit := uint64(1) << (b & 63)
	c.bits.And(^bit)
	if !c.at(b).Empty(nodes) {
		c.bits.Or(bit)
	}
}

// head returns the first entry of a band that is not stale, and its place (lockfree.Queue.First). Any CPU may call it.
func (c *CPU) head(b uint32) (e, place uint64, ok bool) {
	bd := &c.bands[b]
	for {
		e, place, ok = bd.First(nodes)
		if !ok || ready(e) {
			return e, place, ok
		}
		if n, ok := bd.PopFirst(nodes, place); ok {
			bd.count.Add(^uint32(0))
			spares.Push(nodeLinks, n)
		}
	}
}

// empty reports whether the queue was seen without an entry. It inlines.
func (c *CPU) empty() bool { return c.bits.Load() == 0 && c.lone.Load() <= reserved }

// load returns how many tasks wait in the queue, as a hint: it counts stale entries.
func (c *CPU) load() uint32 {
	n := uint32(0)
	if c.lone.Load() > reserved {
		n = 1
	}
	for set := c.bits.Load(); set != 0; set &= set - 1 {
		if b := bits.TrailingZeros64(set); b == frontBit {
			n++
		} else {
			n += c.bands[b].count.Load()
		}
	}
	return n
}

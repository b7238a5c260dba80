package sched

import (
	"math/bits"

	"pdac/kernel/lockfree"
)

// Stealing: an idle CPU takes a task from another's queue.

// Bounds of a thief's look behind the head of a band, for a task that may run on it: tasks, and entries, stale ones included.
const (
	pullDepth = 32
	pullSteps = 256
)

// take makes the first task in c's queue that may run on cpu RUNNING there; 0 if there is none. Any CPU but c may call it.
func (c *CPU) take(cpu int) (t ID) {
	if e := c.lone.Load(); e > reserved {
		if t = capture(e, cpu); t != 0 {
			c.lone.CompareAndSwap(e, 0)
			return arrive(t, cpu)
		}
	}
	for set := c.bits.Load(); set != 0; set &= set - 1 {
		b := uint32(bits.TrailingZeros64(set))
		if b == frontBit {
			t = capture(c.front.Load(), cpu)
		} else if t = c.takeHead(b, cpu); t == 0 {
			t = c.takeBehind(b, cpu)
		}
		if t != 0 {
			return arrive(t, cpu)
		}
	}
	return 0
}

// arrive notes that a task that was taken is cpu's: RUNNING first, then this, then the affinity again (search), the pair of
// SetAffinity and Urgent.
func arrive(t ID, cpu int) ID {
	tk := Get(t)
	tk.cpu.Store(uint32(cpu))
	tk.migrations.Add(1)
	return t
}

// takeHead makes the head of a band RUNNING, if it may run on cpu. It needs no spare node.
func (c *CPU) takeHead(b uint32, cpu int) ID {
	for lost := uint32(1); ; lost++ {
		e, place, ok := c.head(b)
		if !ok || !Get(named(e)).mayRun(cpu) {
			return 0
		}
		n, ok := c.bands[b].PopFirst(nodes, place)
		if !ok {
			keepOff(lost)
			continue
		}
		c.bands[b].count.Add(^uint32(0))
		if run(e) {
			Get(named(e)).node.Store(n)
			return named(e)
		}
		spares.Push(nodeLinks, n)
	}
}

// takeBehind makes a task behind the head of a band RUNNING that may run on cpu.
func (c *CPU) takeBehind(b uint32, cpu int) ID {
	_, place, ok := c.bands[b].First(nodes)
	if !ok {
		return 0
	}
	n, tasks := uint32(place), 0
	for range pullSteps {
		e, behind, ok := lockfree.After(nodes, n)
		if !ok {
			break
		}
		if ready(e) {
			if t := capture(e, cpu); t != 0 {
				return t
			}
			if tasks++; tasks == pullDepth {
				break
			}
		}
		n = behind
	}
	return 0
}

// capture makes an entry's task RUNNING where it lies, if it may run on cpu.
func capture(e uint64, cpu int) ID {
	tk := Get(named(e))
	if ready(e) && tk.mayRun(cpu) && tk.take(readyWord(e), StateRunning) {
		return named(e)
	}
	return 0
}

// patience is for how long an idle CPU leaves a task alone that another CPU is about to look at, in ns: a few IPIs.
const patience = 50_000

// offers returns how many tasks another CPU has to give. A queue of one whose CPU is about to look at it is left alone: the task
// was put there for that CPU, and the IPI is on its way. Should that CPU go on with what it runs, it offers the task again (Leave). Should
// it not come to that, because a hypervisor has stopped it, or have the wrong one to offer, the idle CPU looks again when its patience ends.
func (c *CPU) offers() (tasks uint32, expected bool) {
	if c.empty() {
		return 0, false
	}
	tasks = c.load()
	return tasks, tasks == 1 && c.need.Load() != 0
}

// pull takes a task from another queue, by the strategy; 0 if there is none. Only idle CPUs pull.
func (c *CPU) pull(cpu int) (t ID, from int) {
	s := StrategyNow()
	patient, left := c.leftSince == 0 || c.since-c.leftSince < patience, false
	for least := stealThreshold.Load(); ; least = 1 {
		short, looks := false, uint64(0)
		w := c.walk(s)
		for {
			i := w.next(c)
			if i < 0 {
				break
			}
			looks++
			victim := on(i)
			d, expected := victim.offers()
			if expected && patient {
				left = true
				continue
			}
			if d < least {
				short = short || d != 0
				continue
			}
			k := &c.steals[s][rungs[c.node%MaxNodes][victim.node%MaxNodes]%maxDistances]
			count(&k.tried, 1)
			if t = victim.take(cpu); t != 0 {
				count(&k.won, 1)
				count(&k.tasks, 1)
				count(&c.looks, looks)
				c.cursor = victim.place
				return t, i
			}
		}
		count(&c.looks, looks)
		if !short {
			break
		}
	}
	switch {
	case !left:
		c.leftSince = 0
	case c.leftSince == 0:
		c.leftSince = max(c.since, 1)
	}
	return 0, 0
}

// share offers the first task of c's queue that an idle CPU may run to that one, which may have left it to us (offers), or have looked
// while a bit was clear (hide). It looks as deep as a thief.
func (c *CPU) share(cpu int) {
	if e := c.lone.Load(); e > reserved && ready(e) && offer(cpu, named(e)) {
		return
	}
	for set := c.bits.Load(); set != 0; set &= set - 1 {
		b := uint32(bits.TrailingZeros64(set))
		if b == frontBit {
			if e := c.front.Load(); e != 0 && ready(e) && offer(cpu, named(e)) {
				return
			}
			continue
		}
		_, place, ok := c.bands[b].First(nodes)
		for n, i := uint32(place), 0; ok && i < pullDepth; i++ {
			var e uint64
			if e, n, ok = lockfree.After(nodes, n); ok && ready(e) && offer(cpu, named(e)) {
				return
			}
		}
	}
}

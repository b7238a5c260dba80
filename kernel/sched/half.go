package sched

import (
	"math/bits"
	"sync/atomic"

	"pdac/asm"
)

// Stealing by halves: a thief that has a task takes more of its victim's, up to half of them (D. Hendler, N. Shavit, "Non-Blocking Steal-Half
// Work Queues", PODC 2002), so that work spreads from one queue to n CPUs in log n steps.
//
// It takes heads of bands, one by one, each as take does but to WAKING, in its hands. What idle CPUs may run goes to them at once. The
// rest is READY again in the own queue: a band's share by one push and one addition to its count.
//
// No CPU sleeps on that: a CPU that went idle meanwhile may have looked at the own queue before the tasks were in, and at the
// victim's when they were out. So the thief does as whoever queues a task: once they are in, it looks at the idle bits, for each of them.
//
// Progress: lock-free; nobody waits for a thief. One that a hypervisor stops here keeps what is in its hands, MaxStealBatch tasks at most,
// as a waker that is stopped before READY keeps one.
//
// Rejected: taking a chain of entries by one CAS of the head (a stale one among them has no task to take, one of a pinned task may not be
// taken at all, and between the CAS and the last of them all are nobody's).

// Tunables of stealing.
const (
	MinStealThreshold, MaxStealThreshold = 1, 1024
	MinStealBatch, MaxStealBatch         = 1, 32
	MinStealBackoff, MaxStealBackoff     = 0, 4096

	defaultThreshold, defaultBatch, defaultBackoff = 1, MaxStealBatch, 64
)

var stealThreshold, stealBatch, stealBackoff atomic.Uint32

func initStealing() {
	SetStealThreshold(defaultThreshold)
	SetStealBatch(defaultBatch)
	SetStealBackoff(defaultBackoff)
}

// SetStealThreshold sets how many tasks must wait in a queue for thieves not to leave it alone while another has as many. Where none has,
// they take what there is: no CPU stays idle while a task waits that it may run. Held between the bounds, as the others.
func SetStealThreshold(n uint32) {
	stealThreshold.Store(min(max(n, MinStealThreshold), MaxStealThreshold))
}

// StealThreshold returns it.
func StealThreshold() uint32 { return stealThreshold.Load() }

// SetStealBatch sets how many tasks a thief takes at most, and never more than half of what there is.
func SetStealBatch(n uint32) { stealBatch.Store(min(max(n, MinStealBatch), MaxStealBatch)) }

// StealBatch returns it.
func StealBatch() uint32 { return stealBatch.Load() }

// SetStealBackoff sets for how many PAUSE instructions a thief at most keeps off a queue where another was faster. The first time is one,
// each further one twice as many.
func SetStealBackoff(n uint32) { stealBackoff.Store(min(n, MaxStealBackoff)) }

// StealBackoff returns it.
func StealBackoff() uint32 { return stealBackoff.Load() }

// keepOff waits after an attempt at a queue was lost for the nth time in a row.
func keepOff(n uint32) {
	for range min(uint32(1)<<min(n-1, 31), stealBackoff.Load()) {
		asm.Pause()
	}
}

// takeHalf takes more tasks from a victim from which c has just taken one.
//
// Preconditions: c is not idle.
func (c *CPU) takeHalf(cpu int, victim *CPU) {
	most := min(stealBatch.Load()-1, victim.load()/2)
	if most == 0 {
		return
	}
	taken := uint32(0)
	for set := victim.bits.Load() &^ (1<<urgentBand | 1<<frontBit); set != 0 && taken < most; set &= set - 1 {
		taken += c.takeHeads(cpu, victim, uint32(bits.TrailingZeros64(set)), most-taken)
	}
	count(&c.stolen, uint64(taken))
	count(&c.steals[StrategyNow()][rungs[c.node%MaxNodes][victim.node%MaxNodes]].tasks, uint64(taken))
}

// takeHeads takes up to most tasks from a band of the victim's, and returns how many. It leaves the rest when the head may not run here,
// or another is faster.
func (c *CPU) takeHeads(cpu int, victim *CPU, b, most uint32) (taken uint32) {
	var own [MaxStealBatch]uint32 // the nodes of those for the own queue
	var entries [MaxStealBatch]uint64
	from, to, n := &victim.bands[b], &c.bands[b], 0
	var since uint64
	for taken < most {
		e, place, ok := victim.head(b)
		if !ok {
			break
		}
		t := named(e)
		tk := Get(t)
		if !tk.mayRun(cpu) {
			break
		}
		node, ok := from.PopFirst(nodes, place)
		if !ok {
			break
		}
		from.count.Add(^uint32(0))
		if w := readyWord(e); !tk.state.CompareAndSwap(w, w+uint64(StateWaking)-uint64(StateReady)) {
			spares.Push(nodeLinks, node)
			continue
		}
		taken++
		tk.node.Store(node)
		if anyIdle() {
			if i := c.claimFor(tk); i >= 0 {
				c.sent(cpu, t, i)
				on(i).push(i, t, tk, false)
				kick(cpu, i, evaluate|preempt)
				continue
			}
		}
		if n == 0 {
			since = tk.readySince
		}
		own[n], entries[n] = node, uint64(t)
		n++
	}
	if n == 0 {
		return taken
	}
	for i := range n {
		t := ID(entries[i])
		tk := Get(t)
		tk.cpu.Store(uint32(cpu))
		tk.migrations.Add(1)
		tk.node.Store(0)
		trace(cpu, EventSteal, t, int(byNode[victim.place%MaxCPUs]))
		entries[i] = tk.stay(t, fromWaking)
	}
	to.count.Add(uint32(n))
	to.PushAll(nodes, own[:n], entries[:n])
	if bit := uint64(1) << b; c.bits.Load()&bit == 0 {
		to.since.Store(since)
		c.bits.Or(bit)
	}
	for _, e := range entries[:n] {
		if Get(named(e)).Attn.Load() != 0 { // as in queue
			Urgent(cpu, named(e))
		} else if anyIdle() {
			offer(cpu, named(e))
		}
	}
	return taken
}

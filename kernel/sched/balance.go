package sched

import (
	"math/bits"
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// Balancing: a busy CPU that has more to do than others gives tasks away. Thieves come to who has a task too many for as long as one CPU is
// idle; when all are busy, balancing is what makes their queues alike.
//
// Paper: D. L. Eager, E. D. Lazowska, J. Zahorjan, "Adaptive Load Sharing in Homogeneous Distributed Systems", IEEE TSE 12(5), 1986: the
// sender finds out for itself, looks at the others, and sends to one below a threshold. Here it must be above the mean of all
// loads, and the other below. It is asked by its own timer, so there is no IPI but the one that a task that may preempt brings.
//
// Loads are read as under RCU: their records never go away, and nobody waits for a writer. What is read may be old; whoever moves a task
// changes both CPUs' loads at once, so that the next one to look does not send another for the same reason.
//
// A task is moved where the gain is the greatest: the turns that it waits less, by its quantum, less what the move costs. Not only the
// most loaded CPU sends, since all its tasks may be pinned; and the others' turns come by the same rule.
//
// CPU.ewma: what waits and what runs, weighted by class, averaged over time. Its CPU adds to it, and whoever moves a task.
//
// Rejected: an average in whole tasks or of integers without rounding, which sticks below its aim (docs/DESIGN.md, "Traps"); the head of
// the queue, which would be next here and is the last there.

// loadOne is the load of a task of class normal.
const loadOne = 1024

// classLoad is the load of a task by class, in the order of the bands. Others wait for a batch task only among themselves.
var classLoad = [nBands / bandsPerClass]int64{loadOne, loadOne, loadOne / 4}

// Tunables of balancing.
const (
	MinBalancePeriod, MaxBalancePeriod = 1_000_000, 1_000_000_000 // ns
	MinBalanceGap, MaxBalanceGap       = 100, 100_000             // hundredths of a task
	MaxMoveCost                        = 100_000_000              // ns

	defaultPeriod   = 10_000_000
	defaultGap      = 150
	defaultHomeCost = 10_000_000
)

// What a move costs by default, in ns by class in the order of the bands: lines of a working set of 64 KiB, 256 KiB and 1 MiB at
// 50 ns, four at a time (test/sim/costs.go has the sources).
var defaultMoveCost = [nBands / bandsPerClass]uint64{12_800, 51_200, 204_800}

var (
	balancePeriod atomic.Uint64 // ns
	balanceGap    atomic.Int64  // hundredths of a task
	moveCost      [nBands / bandsPerClass]atomic.Uint64
	homeCost      atomic.Uint64
)

func initBalance() {
	SetBalancePeriod(defaultPeriod)
	SetBalanceGap(defaultGap)
	for k := range moveCost {
		moveCost[k].Store(defaultMoveCost[k])
	}
	SetHomeCost(defaultHomeCost)
}

// SetBalancePeriod sets how often a busy CPU compares loads at most, in ns. One that finds nothing to do does so less often, down to a
// sixteenth. Held between the bounds, as the others.
func SetBalancePeriod(ns uint64) {
	balancePeriod.Store(min(max(ns, MinBalancePeriod), MaxBalancePeriod))
}

// BalancePeriod returns it.
func BalancePeriod() uint64 { return balancePeriod.Load() }

// SetBalanceGap sets how much the loads of two CPUs must differ for a task to be moved, in hundredths of a task of class normal.
func SetBalanceGap(hundredths int) {
	balanceGap.Store(int64(min(max(hundredths, MinBalanceGap), MaxBalanceGap)))
}

// BalanceGap returns it.
func BalanceGap() int { return int(balanceGap.Load()) }

// SetMoveCost sets what it costs to move a task of a class to another CPU of its node, in ns: the time that it takes to fill the caches
// again. To other nodes it costs more, as the distance is greater.
func SetMoveCost(c Class, ns uint64) { moveCost[c.rank()].Store(min(ns, MaxMoveCost)) }

// MoveCost returns it.
func MoveCost(c Class) uint64 { return moveCost[c.rank()].Load() }

// SetHomeCost sets what it costs more, in ns, to move a task away from its home node. To move it home costs as much less.
func SetHomeCost(ns uint64) { homeCost.Store(min(ns, MaxMoveCost)) }

// HomeCost returns it.
func HomeCost() uint64 { return homeCost.Load() }

const (
	maxCalm      = 4  // a CPU that found nothing to move looks again after the period times 2^calm
	balanceDepth = 16 // entries of a band that are looked at
	balanceTries = 4  // tasks that a place is sought for
	longestStep  = 1 << 32
)

// balance is called by a busy CPU's timer.
func (c *CPU) balance(cpu int, now uint64) {
	period := balancePeriod.Load()
	load := c.average(now, 2*period)
	c.nextAverage = now + period
	if now < c.nextBalance {
		return
	}
	if c.calm = min(c.calm+1, maxCalm); c.relieve(cpu, load) {
		c.calm = 0
	}
	c.nextBalance = now + period<<c.calm
}

// average brings the CPU's load up to date, tau being the time in ns that it lags behind, and returns what is certain of it: the less of
// the average and what there is now.
func (c *CPU) average(now, tau uint64) int64 {
	dt := min(now-c.averaged, longestStep)
	c.averaged = now
	there, old := c.weigh(), c.ewma.Load()
	// The implicit Euler step of l' = (there - l) / tau, rounded away from 0: it arrives.
	diff := there - old
	d := diff * int64(dt) / int64(dt+tau)
	if d == 0 && dt != 0 {
		d = min(max(diff, -1), 1)
	}
	return min(c.ewma.Add(d), there)
}

// weigh returns the load of now. Only the CPU itself may call it.
func (c *CPU) weigh() (load int64) {
	if t := c.cur.Load(); t != 0 {
		load = Get(t).load()
	}
	if e := c.lone.Load(); e > reserved && ready(e) {
		load += Get(named(e)).load()
	}
	for set := c.bits.Load(); set != 0; set &= set - 1 {
		switch b := uint32(bits.TrailingZeros64(set)); b {
		case urgentBand:
			load += int64(c.bands[b].count.Load()) * loadOne
		case frontBit:
			load += classLoad[(c.frontBand-firstBand)/bandsPerClass%uint32(len(classLoad))]
		default:
			load += int64(c.bands[b].count.Load()) * classLoad[(b-firstBand)/bandsPerClass%uint32(len(classLoad))]
		}
	}
	return load
}

func (tk *Task) load() int64 { return classLoad[tk.rank()] }

// rank returns the index of the task's class in the order of the bands.
func (tk *Task) rank() uint32 {
	return (tk.weight.Load()&0xff - firstBand) / bandsPerClass % uint32(len(classLoad))
}

// relieve moves a task to another CPU, if that pays, and reports whether it did. load is the CPU's.
func (c *CPU) relieve(cpu int, load int64) bool {
	if load <= loadOne || load*100 < balanceGap.Load()*loadOne {
		return false
	}
	var mean int64
	for i := range cpus {
		mean += on(i).ewma.Load()
	}
	if mean /= int64(len(cpus)); load <= mean {
		return false
	}
	list, n := c.candidates()
	for i := range n {
		e := list[i]
		t := named(e)
		tk := Get(t)
		target := c.partner(cpu, tk, load, mean)
		if target < 0 || !tk.take(readyWord(e), StateWaking) {
			continue
		}
		c.ewma.Add(-tk.load())
		on(target).ewma.Add(tk.load())
		c.sent(cpu, t, target)
		send(cpu, target, t, tk)
		return true
	}
	return false
}

// candidates returns entries of tasks that wait for long: the last of the first ones of the least urgent band, the last one first.
func (c *CPU) candidates() (list [balanceTries]uint64, n int) {
	add := func(e uint64) {
		if ready(e) && Get(named(e)).Attn.Load() == 0 {
			copy(list[1:], list[:balanceTries-1])
			list[0] = e
			n = min(n+1, balanceTries)
		}
	}
	for set := c.bits.Load() &^ (1<<urgentBand | 1<<frontBit); set != 0 && n == 0; {
		b := bits.Len64(set) - 1
		set &^= 1 << b
		_, place, ok := c.bands[b].First(nodes)
		at := uint32(place)
		for i := 0; ok && i < balanceDepth; i++ {
			var e uint64
			if e, at, ok = lockfree.After(nodes, at); ok {
				add(e)
			}
		}
	}
	if e := c.lone.Load(); n == 0 && e > reserved {
		add(e)
	}
	return list, n
}

// partner returns the CPU, of less load than the mean, to which moving the task gains the most; -1 if none is worth it.
func (c *CPU) partner(cpu int, tk *Task, load, mean int64) int {
	gap := balanceGap.Load() * loadOne / 100
	own, turn := tk.load(), int64(tk.slice())
	cost := int64(moveCost[tk.rank()].Load())
	home, homed := tk.home()
	best, most := -1, int64(0)
	for i := range cpus {
		o := on(i)
		less := load - o.ewma.Load()
		if i == cpu || less < gap || less <= own || load-less >= mean || !tk.mayRun(i) {
			continue
		}
		gain := (less-own)*turn/loadOne - cost*int64(distance(c.node, o.node))/10
		if homed && o.node != c.node {
			switch uint32(home) {
			case c.node:
				gain -= int64(homeCost.Load())
			case o.node:
				gain += int64(homeCost.Load())
			}
		}
		if gain > most {
			best, most = i, gain
		}
	}
	return best
}

// sent notes that cpu moves a task to another CPU's queue.
func (c *CPU) sent(cpu int, t ID, target int) {
	count(&c.balanced, 1)
	trace(cpu, EventBalance, t, target)
}

// send queues a task that the caller has in hand on a CPU.
func send(cpu, target int, t ID, tk *Task) {
	o := on(target)
	idle := o.claim(target)
	if o.push(target, t, tk, false) < o.below.Load() || idle {
		kick(cpu, target, evaluate|preempt)
	} else if anyIdle() { // queued, then look: as Ready does
		offer(cpu, t)
	}
}

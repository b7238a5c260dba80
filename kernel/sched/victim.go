package sched

import (
	"math/bits"
	"sync/atomic"
)

// Whom an idle CPU takes tasks from. A strategy is an order of all other CPUs, in which each comes once: a walk. The first few are where
// something is hoped for; and as the walk ends with the last CPU, one that found nothing has looked at every queue, which it must before
// it goes idle (place.go).
//
// Rejected: the longest of all queues. Every thief then looks at every queue first, and all of them meet at one: of 1,024 CPUs' time in a
// simulated fork-join that was a third. A bitmap of CPUs with tasks in their queues: each wakeup on an idle queue would write a line
// that a whole node shares, where now it writes its own.

// Strategy is how an idle CPU chooses its victims.
type Strategy uint8

const (
	// Affinity begins with the CPUs of the own node and goes on by distance; in each node from a random CPU on.
	Affinity Strategy = iota
	// Random begins with any CPU, and goes on in an order that depends on chance (R. D. Blumofe, C. E. Leiserson, "Scheduling
	// Multithreaded Computations by Work Stealing", JACM 46(5), 1999, with each victim once).
	Random
	// Circular goes on from where it last found something.
	Circular
	Strategies // how many there are
)

var strategyNames = [Strategies]string{Affinity: "affinity", Random: "random", Circular: "circular"}

func (s Strategy) String() string { return strategyNames[s%Strategies] }

var strategy atomic.Uint32

// SetStrategy changes the strategy, at any time and from any world.
func SetStrategy(s Strategy) { strategy.Store(uint32(s % Strategies)) }

// StrategyNow returns the strategy.
func StrategyNow() Strategy { return Strategy(strategy.Load()) }

// maxDistances is how many different distances are told apart in counters; the greatest share one.
const maxDistances = 16

// The shape of the machine; constant after Init.
var (
	byNode     [MaxCPUs]uint16                     // CPUs, node by node
	nodeCPUs   [MaxNodes]struct{ first, n uint32 } // where a node's are in byNode
	nearest    [MaxNodes][MaxNodes]uint8           // nodes with CPUs as seen from a node, the nearest first
	nNearest   uint32                              // how many
	distances  [maxDistances]uint8                 // the different ones between nodes with CPUs, ascending
	nDistances uint32
	rungs      [MaxNodes][MaxNodes]uint8 // of a distance: its index in distances
)

// distance returns how far node b is from node a: ACPI's, 10 within one.
func distance(a, b uint32) uint8 {
	switch {
	case machine.Distances != nil:
		return machine.Distances[a][b]
	case a == b:
		return 10
	}
	return 20 // ACPI 6.5, 5.2.17: what a machine without SLIT is taken for
}

// initVictims learns the shape of the machine.
func initVictims() {
	strategy.Store(uint32(Affinity))
	n := uint32(0)
	for node := range uint32(MaxNodes) {
		nodeCPUs[node].first = n
		for i := range cpus {
			if c := on(i); c.node == node {
				c.place, c.cursor = uint16(n), uint16(n)
				byNode[n] = uint16(i)
				n++
			}
		}
		nodeCPUs[node].n = n - nodeCPUs[node].first
	}
	nNearest, nDistances = 0, 0
	for a := range uint32(MaxNodes) {
		if nodeCPUs[a].n == 0 {
			continue
		}
		nNearest = 0
		for i := range uint32(MaxNodes) {
			b := (a + i) % MaxNodes // of nodes as near as each other, another first for each
			if nodeCPUs[b].n != 0 {
				insertNode(a, b)
				insertDistance(distance(a, b))
			}
		}
	}
	for a := range uint32(MaxNodes) {
		for b := range uint32(MaxNodes) {
			if nodeCPUs[a].n == 0 {
				break
			}
			r, d := uint32(0), distance(a, b)
			for r+1 < nDistances && distances[r] < d {
				r++
			}
			rungs[a][b] = uint8(r)
		}
	}
}

// insertNode puts b behind all that are as near to a.
func insertNode(a, b uint32) {
	i := nNearest
	for ; i > 1 && distance(a, uint32(nearest[a][i-1])) > distance(a, b); i-- { // the first is a
		nearest[a][i] = nearest[a][i-1]
	}
	nearest[a][i] = uint8(b)
	nNearest++
}

// insertDistance adds d to the different distances, unless there are too many.
func insertDistance(d uint8) {
	i := nDistances
	for ; i > 0 && distances[i-1] >= d; i-- {
		if distances[i-1] == d {
			return
		}
	}
	if i == maxDistances {
		return
	}
	nDistances = min(nDistances+1, maxDistances)
	copy(distances[i+1:nDistances], distances[i:])
	distances[i] = d
}

// walk is an order of CPUs under way. It goes through parts of byNode, each of which it takes in strides of an odd length
// modulo a power of 2, and so comes by each place once.
type walk struct {
	node, leg, legs uint32 // legs behind, and in all, if they are node's nearest
	first, n        uint32 // the part
	at, stride      uint32 // in it; a place beyond n is none
	mask, left      uint32 // the power of 2, less 1; strides to be made
}

// walk begins a walk of c's.
func (c *CPU) walk(s Strategy) (w walk) {
	switch all := uint32(len(cpus)); s {
	case Random:
		r := c.random()
		w.part(0, all, chance(r, all), uint32(r)|1)
	case Circular:
		w.part(0, all, uint32(c.cursor), 1)
	default:
		w.node, w.legs = c.node, nNearest
	}
	return w
}

// chance makes a number below n of a random one's upper half.
func chance(r uint64, n uint32) uint32 { return uint32(r >> 32 * uint64(n) >> 32) }

func (w *walk) part(first, n, at, stride uint32) {
	w.first, w.n, w.at, w.stride = first, n, at, stride
	w.mask = 1<<bits.Len32(n-1) - 1
	w.left = w.mask + 1
}

// next returns the next CPU but c; -1: there is none.
func (w *walk) next(c *CPU) int {
	for {
		if w.left == 0 {
			if w.leg == w.legs {
				return -1
			}
			p := &nodeCPUs[nearest[w.node%MaxNodes][w.leg%MaxNodes]%MaxNodes]
			w.part(p.first, p.n, chance(c.random(), p.n), 1)
			w.leg++
		}
		at := w.at
		w.at = (at + w.stride) & w.mask
		w.left--
		if place := w.first + at; at < w.n && place != uint32(c.place) {
			return int(byNode[place%MaxCPUs])
		}
	}
}

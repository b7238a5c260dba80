package dag

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"pdac/kernel/lockfree"
)

// Strategy is how a worker without work chooses whom to steal from.
type Strategy int

const (
	Affinity Strategy = iota // workers of its own node first, then by distance; among equals, from a random one on
	Random                   // any, as often as there are others (R. D. Blumofe and C. E. Leiserson, JACM 46(5), 1999)
	Circular                 // all in turn, beginning with the one it stole from last
	strategies
)

func (s Strategy) valid() bool { return s >= 0 && s < strategies }

func (s Strategy) String() string {
	if !s.valid() {
		return fmt.Sprintf("Strategy(%d)", int(s))
	}
	return [...]string{"affinity", "random", "circular"}[s]
}

// victim is another worker, as a thief sees it.
type victim struct {
	worker *worker
	class  int  // index of its distance in Executor.distances
	near   bool // on the thief's node
}

// steals counts attempts and successes of a worker.
type steals struct {
	tries, hits lockfree.Tally
}

// most is how many steps a thief takes at a time.
const most = 64

// meet tells a worker of the others, by the distances from its node.
func (w *worker) meet(distance []int) {
	for _, v := range w.e.workers {
		if v != w {
			class, _ := slices.BinarySearch(w.e.distances, distance[v.node])
			w.victims = append(w.victims, victim{v, class, v.node == w.node})
		}
	}
	slices.SortStableFunc(w.victims, func(a, b victim) int {
		if a.near != b.near && a.near {
			return -1
		} else if a.near != b.near {
			return 1
		}
		return cmp.Compare(a.class, b.class)
	})
	for i := range w.steals {
		w.steals[i] = make([]steals, len(w.e.distances))
	}
}

// steal takes steps from another worker, one to return.
func (w *worker) steal() (name uint64, ok bool) {
	n := len(w.victims)
	if n == 0 {
		return 0, false
	}
	switch s := Strategy(w.e.strategy.Load()); s {
	case Random:
		for range n {
			if name, ok = w.rob(s, w.random(n)); ok {
				return name, true
			}
		}
	case Circular:
		for k := range n {
			at := (w.last + k) % n
			if name, ok = w.rob(s, at); ok {
				w.last = at
				return name, true
			}
		}
	case Affinity:
		for first := 0; first < n; {
			end := first + 1
			for end < n && w.victims[end].class == w.victims[first].class && w.victims[end].near == w.victims[first].near {
				end++
			}
			start := w.random(end - first)
			for k := range end - first {
				if name, ok = w.rob(s, first+(start+k)%(end-first)); ok {
					return name, true
				}
			}
			first = end
		}
	}
	return 0, false
}

func (w *worker) random(n int) int { return int(w.seed.Uint64() % uint64(n)) }

// newSeed makes the victims of a worker a sequence of its own.
func newSeed(worker int) rand.PCG { return *rand.NewPCG(uint64(worker), 0x9e3779b97f4a7c15) }

// rob takes half of what a victim offers: what is bound to the node first, that nobody else can do.
func (w *worker) rob(s Strategy, at int) (name uint64, ok bool) {
	v := w.victims[at]
	count := &w.steals[s][v.class]
	count.tries.Add(1)
	mine, n := &w.bound, 0
	if v.near {
		n = v.worker.bound.StealHalf(w.loot[:])
	}
	if n == 0 {
		mine = &w.open
		n = v.worker.open.StealHalf(w.loot[:])
	}
	if n == 0 {
		return 0, false
	}
	count.hits.Add(1)
	for _, name := range w.loot[1:n] {
		mine.Push(name)
	}
	return w.loot[0], true
}

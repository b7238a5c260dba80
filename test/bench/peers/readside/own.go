package readside

import (
	"sync/atomic"

	"pdac/kernel/rcu"
)

// Names that the goals refer to.
const (
	Ours      = "rcu.Domain"
	OursGrace = "rcu.Domain"
)

// Own returns the ways of kernel/rcu for goroutines, as they are used in the kernel: the reader
// knows its CPU, and keeps its hazard slot.
func Own() []Kind {
	return []Kind{{Ours, domain}, {"rcu.Hazard", hazard}}
}

func domain() func(worker, n int) int {
	var p atomic.Pointer[record]
	p.Store(&record{v: 1})
	d := rcu.New(rcu.Config{CPUs: Workers})
	return func(worker, n int) (sum int) {
		for range n {
			token := d.ReadLock(worker)
			sum += p.Load().v
			d.ReadUnlock(token)
		}
		return sum
	}
}

// hazard protects a reference, not a pointer: a place in records that don't move.
func hazard() func(worker, n int) int {
	records := [2]record{1: {v: 1}} // reference 0 is none
	var p atomic.Uint64
	p.Store(1)
	h := rcu.NewHazards(Workers, 1)
	slots := [Workers]*rcu.Hazard{}
	for w := range slots {
		slots[w] = h.Acquire(w)
	}
	return func(worker, n int) (sum int) {
		slot := slots[worker]
		for range n {
			sum += records[slot.Protect(&p)&1].v
			slot.Clear()
		}
		return sum
	}
}

// OwnGraces returns Synchronize; the second CPU has no reader.
func OwnGraces() []Grace {
	return []Grace{{OursGrace, func() (func(n int), func()) {
		d := rcu.New(rcu.Config{CPUs: Workers})
		d.ReadUnlock(d.ReadLock(1))
		return func(n int) {
			for range n {
				d.Synchronize()
			}
		}, func() {}
	}}}
}

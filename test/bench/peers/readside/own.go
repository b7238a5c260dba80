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

// Own returns the ways of kernel/rcu for goroutines, as they are used in the kernel: the reader knows its CPU.
func Own() []Kind {
	return []Kind{{Ours, domain}}
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

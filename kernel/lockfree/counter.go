package lockfree

import "sync/atomic"

// CacheLine is the size in bytes of the unit in which CPUs exchange memory (Intel SDM vol. 3, 12.1;
// AMD APM vol. 2, 7.6).
const CacheLine = 64

// Counter is a number to which every CPU adds in a cache line of its own; its length is the number
// of CPUs. Only Sum touches them all.
//
// Add is atomic, since callers above the runtime may move to another CPU between learning their
// number and adding. Progress: wait-free.
type Counter []Cell

// Cell is one CPU's part of a Counter. The padding keeps CPUs off each other's line.
type Cell struct {
	n atomic.Int64
	_ [CacheLine - 8]byte
}

// Add adds n to cpu's part.
func (c Counter) Add(cpu int, n int64) {
	c[cpu].n.Add(n)
}

// Sum adds up the parts. It is not a snapshot: additions during the call may or may not be in it,
// but all that returned before the call are.
func (c Counter) Sum() int64 {
	var sum int64
	for i := range c {
		sum += c[i].n.Load()
	}
	return sum
}

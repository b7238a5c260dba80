package lockfree

import "sync/atomic"

// Tally is a number to which one goroutine or CPU adds, and which anybody reads. Adding is a plain
// store: a reader sees a value that it had, maybe a while ago. The writer pads it where that matters.
//
// Progress: wait-free. Calls to keep apart: Add and Add.
type Tally struct {
	n uint64
}

// Add adds n.
//
// Preconditions: the caller is the one writer.
func (t *Tally) Add(n uint64) { store64(&t.n, t.n+n) }

// Load returns the number.
func (t *Tally) Load() uint64 { return atomic.LoadUint64(&t.n) }

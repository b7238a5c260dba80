package rcu

import "sync/atomic"

// Held is a read section under way, for who enters and leaves one in some dozen instructions: it is
// the counter that the section is in, so to end it takes nothing but to count. (A Token is an
// integer, and has to find the counter again.)
type Held struct{ readers *atomic.Uint64 }

// Hold begins a read section as ReadLock does, which Track cannot register.
func (d *Domain) Hold(cpu int) Held {
	n := &d.cells[cpu].readers[d.phase.Load()&1]
	n.Add(1) // pairs with the load in drain
	return Held{n}
}

// Release ends it, on any CPU, once.
func (h Held) Release() { h.readers.Add(^uint64(0)) } // pairs with the load in drain

package rcu

import "sync/atomic"

// Held is a read section under way, for who enters and leaves one in some dozen instructions: it is
// the counter that the section is in, so to end it takes nothing but to count. (A Token is an
// integer, and has to find the counter again.)
type Held struct{ readers *atomic.Uint64 }

// Lane is what Hold needs of one CPU, for who keeps it with his own data of that CPU: it is found
// once, and nothing needs to be looked up or compared afterwards.
type Lane struct {
	phase   *atomic.Uint32
	readers *[2]atomic.Uint64
}

// Lane returns that of a CPU.
func (d *Domain) Lane(cpu int) Lane { return Lane{&d.phase, &d.cells[cpu].readers} }

// Hold begins a read section as ReadLock does, which Track cannot register.
func (l *Lane) Hold() Held {
	n := &l.readers[l.phase.Load()&1]
	n.Add(1) // pairs with the load in drain
	return Held{n}
}

// Release ends it, on any CPU, once.
func (h Held) Release() { h.readers.Add(^uint64(0)) } // pairs with the load in drain

// HoldTracked is Hold, registered as by Track: it is left by ReleaseTracked, and allocates.
func (d *Domain) HoldTracked(cpu, skip int) Held {
	token := new(atomic.Uint64) // in the counter's place
	token.Store(uint64(d.Track(d.ReadLock(cpu), skip+1)))
	return Held{token}
}

// ReleaseTracked ends what HoldTracked began, once.
func (d *Domain) ReleaseTracked(h Held) { d.ReadUnlock(Token(h.readers.Load())) }

package rcu

import (
	"sync/atomic"
	"unsafe"
)

// Sections for who enters and leaves one in half a dozen instructions.
//
// Words and writers: Lane.readers by who runs the grace period, after it has changed the phase. It is the
// phase again, as the address of the counter that new readers of one CPU take: so nothing has to be looked
// up. That the CPUs' lanes change one after another does no harm: which counter a section is in matters
// for progress alone (domain.go), and the second look comes after all have changed.

// Held is a read section under way: the counter that it is in, so to end it takes nothing but to
// count. (A Token is an integer, and has to find the counter again.)
type Held struct{ readers *uint64 }

// Lane is what Hold needs of one CPU, for who keeps it with his own data of that CPU.
type Lane struct{ readers unsafe.Pointer } // atomic: *uint64

// Attach gives the Domain a lane for each CPU, where who calls keeps it. Once, before there are sections and
// who waits for them.
func (d *Domain) Attach(lane func(cpu int) *Lane) {
	for cpu := range d.cells {
		d.lanes = append(d.lanes, lane(cpu))
	}
	d.turn(d.phase.Load())
}

// turn has new sections of the lanes counted under a phase.
func (d *Domain) turn(phase uint32) {
	for cpu, l := range d.lanes {
		atomic.StorePointer(&l.readers, unsafe.Pointer(&d.cells[cpu].readers[phase&1]))
	}
}

// Hold begins a read section as ReadLock does. Track cannot register it: HoldTracked does.
func (l *Lane) Hold() Held {
	n := (*uint64)(atomic.LoadPointer(&l.readers))
	atomic.AddUint64(n, 1) // pairs with the load in drain
	return Held{n}
}

// Release ends it, on any CPU, once.
func (h Held) Release() { atomic.AddUint64(h.readers, ^uint64(0)) } // pairs with the load in drain

// HoldTracked is Hold, registered as by Track if the Domain does that. Release ends it too.
func (d *Domain) HoldTracked(cpu, skip int) Held {
	t := d.Track(d.ReadLock(cpu), skip+1)
	if i := t >> 32; i != 0 {
		return Held{d.tracker[i-1].lend()}
	}
	return Held{&d.cells[cpu].readers[t.phase()]}
}

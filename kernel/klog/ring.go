package klog

// The ring of records: many writers, many readers, nobody waits.
//
// Paper: each slot is a sequence lock after Boehm, "Can seqlocks get along with programming language memory models?"
// (MSPC 2012), whose data are atomics; slots are dealt by ticket as in Linux's printk_ringbuffer, without its descriptors,
// since every record has the same size here.
//
// Invariant: ticket t belongs to slot t%Slots. A slot's state is 0 (never used), 2t+1 (ticket t is being written) or 2t+2
// (ticket t is there to read); it only grows. The slot's other words are written only by whoever moved the state from even to
// odd, until the same one makes it even.
//
// Who writes: head, every writer (Add). state, a writer by CAS to its odd value, then by a store of the even one. The rest
// of a slot, the writer in it.
//
// Linearization: a write, at its store of the even state; a read, at its first load of the state, which the second load
// confirms: the state is strictly growing, so an equal value means that no writer came in between. A write that finds its
// slot occupied by a writer one lap behind (a goroutine preempted in there) or already taken by one a lap ahead gives up,
// and its ticket is a hole that readers count as lost. The alternative, waiting, would let a preempted goroutine stop a trap
// handler.
//
// Reclamation: none, the memory is static.
//
// Progress: write and read are wait-free (one Add and one CAS; a bounded copy). There are no call pairs to keep apart; a
// write from an NMI that interrupted a write is one more writer.

import "sync/atomic"

const (
	slotWords = 32
	headWords = 3
	// Slots is the number of records that the ring holds: 64 KiB in all.
	Slots = 64 << 10 / (slotWords * 8)
)

// Entry is a record as read from the ring.
type Entry struct {
	Seq   uint64 // number since boot
	Time  uint64 // nanoseconds, by Now
	CPU   int
	Level Level
	n     uint8
	text  [MaxText]byte
}

// Text returns the record's text, which is valid until the entry is read into again.
func (e *Entry) Text() []byte { return e.text[:e.n] }

type slot struct {
	state atomic.Uint64
	time  atomic.Uint64
	meta  atomic.Uint64 // cpu<<16 | level<<8 | length
	text  [slotWords - headWords]atomic.Uint64
}

type ring struct {
	head  atomic.Uint64 // the next ticket
	_     [56]byte      // head is written by every writer, slots[0] by few
	slots [Slots]slot
}

// outcome of a read
type outcome uint8

const (
	found   outcome = iota
	pending         // the ticket's writer has not finished, or gave up
	gone            // overwritten
)

var log ring

// Head returns the number of the next record: as many were begun since boot.
func Head() uint64 { return log.head.Load() }

// Read copies into e the first readable record whose number is at least from, and returns how many records before it were
// lost to the caller: overwritten, or still being written. The next call asks for e.Seq+1. If there is none it returns false,
// and the next call asks for from+lost. Writers go on meanwhile and are never waited for.
func Read(from uint64, e *Entry) (lost uint64, ok bool) { return log.next(from, e) }

func (r *ring) next(from uint64, e *Entry) (lost uint64, ok bool) {
	end := r.head.Load()
	if from >= end {
		return 0, false
	}
	for at := max(from, end-min(end, Slots)); at < end; at++ {
		if r.read(at, e) == found {
			return at - from, true
		}
	}
	return end - from, false
}

// write puts e in the ring, or gives up if its slot is not to be had.
func (r *ring) write(e *Entry) {
	t := r.head.Add(1) - 1
	s := &r.slots[t%Slots]
	old := s.state.Load()
	if old&1 != 0 || old > 2*t || !s.state.CompareAndSwap(old, 2*t+1) {
		return
	}
	s.time.Store(e.Time)
	s.meta.Store(uint64(e.CPU)<<16 | uint64(e.Level)<<8 | uint64(e.n))
	for i := 0; i*8 < int(e.n); i++ {
		var w uint64
		for j := 7; j >= 0; j-- {
			w = w<<8 | uint64(e.text[i*8+j])
		}
		s.text[i].Store(w)
	}
	s.state.Store(2*t + 2) // pairs with the loads of state in read
}

// read copies the record of ticket t into e.
func (r *ring) read(t uint64, e *Entry) outcome {
	s := &r.slots[t%Slots]
	state := s.state.Load()
	if state < 2*t+2 {
		return pending
	}
	if state > 2*t+2 {
		return gone
	}
	e.Seq, e.Time = t, s.time.Load()
	meta := s.meta.Load()
	e.CPU, e.Level, e.n = int(meta>>16), Level(meta>>8), uint8(min(meta&0xff, MaxText)) // may be torn until the state is confirmed
	for i := 0; i*8 < int(e.n); i++ {
		w := s.text[i].Load()
		for j := range 8 {
			e.text[i*8+j] = byte(w >> (8 * j))
		}
	}
	if s.state.Load() != state {
		return gone
	}
	return found
}

// done reports whether ticket t is no longer pending.
func (r *ring) done(t uint64) bool { return r.slots[t%Slots].state.Load() >= 2*t+2 }

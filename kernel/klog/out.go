package klog

// The way from the ring to the serial line: whole lines in ticket order, and nobody waits for the line.
//
// Paper: a combiner, after Hendler, Incze, Shavit and Tzafrir, "Flat combining" (SPAA 2010); Linux's printk hands its console
// on in a like way. The publication list is the ring itself.
//
// Invariant: at most one sender at a time holds owner == busy, and only it writes sent and calls Out.
//
// Who writes: owner, everyone by CAS from idle to busy, its sender back to idle, Seize to seized, which is final. sent, the
// sender; it is atomic because Seize reads it without being the sender.
//
// Linearization: a record is committed by the ring's write. When send returns, the record is on the line, or another sender
// holds owner and has still to look at the ring, or a turn was full and the rest goes with the next record or Flush. The look that
// closes the gap comes after owner went back to idle: a record committed before that store is seen by the look, one
// committed after it finds owner idle.
//
// Reclamation: none, the memory is static.
//
// Rejected: a lock around Out. A goroutine preempted while it holds the lock would stop every trap handler that logs.
//
// Progress: wait-free for the caller, who sends at most turnRecords records. A goroutine preempted while it writes a record or
// sends delays the lines behind it, not the callers, until it runs again; a hole delays them until it is half a ring old; a
// crash takes the line from whoever has it by Seize. Calls to keep apart: none, but after Seize only the seizer may call Out.

import "sync/atomic"

var (
	// Out sends a byte to the serial line by polling. It is set once, at boot; nil means ring only.
	Out func(b byte)
	// Now returns the time since boot in nanoseconds, CPU the number of the CPU it runs on. Both are set once, at boot; until
	// then records have zero there.
	Now func() uint64
	CPU func() int
)

const (
	idle = iota
	busy
	seized
)

// turnRecords bounds the work that others' records can make for one that logs with interrupts off.
const turnRecords = 64

var (
	owner atomic.Uint32
	sent  atomic.Uint64 // tickets below it are on the line
)

// Seize takes the line from everybody for good, sends what is left in the ring and returns true; from then on nothing but
// the caller's own calls of Out comes out. It returns false if the line was seized before. For the crash dump: a sender that
// was at work stops at its next byte.
func Seize() bool {
	if owner.Swap(seized) == seized {
		return false
	}
	if Out != nil {
		Out('\r') // the line that the last sender was at
		Out('\n')
		turn(Slots, seized)
	}
	return true
}

// Flush sends what is left in the ring, up to turnRecords records. A burst of records from several CPUs leaves some there until
// the next one comes; the idle loop calls Flush so that they don't wait for it.
func Flush() {
	if sent.Load() != log.head.Load() {
		send()
	}
}

// send brings what the ring has to the line, unless someone else is at it.
func send() {
	if Out == nil {
		return
	}
	for budget := turnRecords; budget > 0 && owner.CompareAndSwap(idle, busy); {
		budget = turn(budget, busy)
		if !owner.CompareAndSwap(busy, idle) || !log.done(sent.Load()) {
			return
		}
	}
}

// turn sends up to budget records as long as owner is self, and returns what is left of budget.
func turn(budget int, self uint32) int {
	var e Entry
	for ; budget > 0; budget-- {
		t, head := sent.Load(), log.head.Load()
		if t == head || owner.Load() != self {
			break
		}
		if head-t > Slots {
			lost(self, head-Slots-t)
			t = head - Slots
		}
		switch log.read(t, &e) {
		case found:
			if e.Level <= Threshold() {
				line(self, &e)
			}
		case gone:
			lost(self, 1)
		case pending:
			// Its writer sends when it has finished. One that is half a ring old is a hole, or as good as one.
			if head-t < Slots/2 && self != seized {
				return budget
			}
			lost(self, 1)
		}
		sent.Store(t + 1)
	}
	return budget
}

// line sends e.
func line(self uint32, e *Entry) {
	var b [MaxLine]byte
	n := e.Line(&b)
	for i := 0; i < n && owner.Load() == self; i++ {
		Out(b[i])
	}
	if owner.Load() == self {
		Out('\r')
		Out('\n')
	}
}

// lost says that n records never reached the line.
func lost(self uint32, n uint64) {
	r := New(Error).Str("klog: ").Dec(n).Str(" records lost")
	e := Entry{Level: Warn, n: r.n, text: r.text}
	line(self, &e)
}

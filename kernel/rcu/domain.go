package rcu

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"
)

// Read sections of goroutines.
//
// Papers: McKenney, "Sleepable RCU" (LWN, 2006), for two counters per CPU and a phase that says
// which one new readers take; Desnoyers, McKenney, Stern, Dagenais and Walpole, "User-Level
// Implementations of Read-Copy Update" (IEEE TPDS 23(2), 2012), for the two waits.
//
// Invariant: cells[c].readers[p] is the number of sections whose token names c and p. A section is
// in one cell, the same from ReadLock to ReadUnlock.
//
// Words and writers:
//
//	phase            0 or 1: who runs the grace period, which tells the lanes (hold.go)
//	readers[p]       any reader, by LOCK XADD
//	calls            any caller pushes by CAS, the worker takes all by XCHG: call.go
//	glances          by adding, who waits: grace.go
//	periods          by CAS from even to odd, then by its winner: grace.go, sequence.go
//
// Linearization: a section begins at its XADD, and ends at the other.
//
// At a glance: who sees each cell with both counters at zero, within some PAUSEs, has had a grace period by
// what follows, and writes no word that others read (nor is the phase changed, which readers load). A line that
// another CPU has written takes longer to come than all the rest of it.
//
// Why a grace period is one. It looks at both counters of each cell until it has seen each of them
// at zero once. A section that began before it is counted in one of them until it ends, so by that
// zero it has ended. A section that begins later may be missed; but its XADD came after the zero, so
// after the begin of the grace period, so after its caller removed what it will reuse, and the
// section's loads, which follow the XADD, find that removed. (Dekker's pattern: remove, then look
// at the counter; count, then look for the thing. Both are sequentially consistent.)
//
// Why both phases, each time. A reader loads the phase, is preempted, and counts under it after the
// phase has changed: a straggler. It is in the phase that the last grace period waited for and the
// next one would not, if that only waited for the phase it ended. So each looks at the phase that
// new readers don't take, where only stragglers can be; then changes the phase; then looks at the
// one that they took until now. Safety needs just the two looks. The order and the change are there
// for progress: while a phase is looked at, only those can enter it who loaded it before the change,
// each once, so its counters reach zero however many readers come.
//
// Reclamation: cells live as long as their Domain; callbacks are the collector's.
//
// Progress: ReadLock and ReadUnlock are wait-free. Synchronize blocks, for readers and for nothing
// else; of those who call it at the same time one works and the others wait for it.
//
// Calls to keep apart: Synchronize and Barrier from a section of the same Domain wait for
// themselves, and so does Barrier from a callback. The latter panics, and so do the former if the
// section is registered (track.go). ReadUnlock takes each token once.
//
// Rejected: a plain increment instead of XADD, with a barrier that the updater forces upon all CPUs
// (membarrier): a goroutine can be preempted inside the increment, and what it stores later is
// wrong. One counter with wait-for-zero: a stream of readers never lets it end.

// Config says what a Domain works with. Only CPUs must be set.
type Config struct {
	CPUs int // CPU numbers are below this

	// Traps, if not nil, are waited for too: a grace period is then also one for
	// the readers below the runtime.
	Traps Traps

	Now func() uint64 // monotonic clock, ns; nil: the Go runtime's
	CPU func() int    // the CPU that the caller runs on, more or less; not asked of one CPU; nil: any, at random

	// How to wait, for short and for longer, and how to start the goroutine that
	// runs callbacks, which inherits what goroutines inherit (labels). nil:
	// runtime.Gosched, time.Sleep, a go statement.
	Yield func()
	Sleep func(time.Duration)
	Go    func(func())

	// OnStall, if not nil, is told of a grace period that is held up for
	// StallAfter (0: a second) and again each time that has doubled, by the
	// goroutine that waits. It must not wait for a grace period.
	StallAfter time.Duration
	OnStall    func(Stall)

	// Track makes Domain.Track register its readers, so that stalls name their
	// code, and a wait for oneself and a token given back twice are found. It
	// makes them ten times slower.
	Track bool
}

// Domain is a set of readers and those who wait for them. Readers of one Domain don't hold up
// another's grace periods.
//
// World: above the runtime.
type Domain struct {
	// What readers load. Changed once a grace period, by who runs it.
	phase atomic.Uint32

	// Constant after New.
	cells   []cell
	traps   Traps
	lanes   []*Lane  // by CPU; none before Attach
	tracker *tracker // nil: Track does nothing
	pace    pace     // to be copied by who waits
	now     func() uint64
	cpu     func() int
	spawn   func(func())
	onStall func(Stall)
	stallNs uint64

	_       [128]byte // keeps what updaters write off what readers load
	periods sequence
	batches sequence // of callbacks
	worker  atomic.Uintptr
	pending atomic.Int64
	ran     atomic.Uint64
	stalls  atomic.Uint64
	latency [Buckets]atomic.Uint64
}

// cell is what readers on one CPU write, and callers of Call and Synchronize there. Each part is padded to two
// cache lines, which the prefetcher fetches in pairs: readers on other CPUs don't share them. The counters
// are words for functions of sync/atomic: each method of its types would leave a NOP in the readers, the
// compiler's mark of what it has inlined.
type cell struct {
	readers [2]uint64       // atomic
	_       [128 - 2*8]byte // who waits looks at the readers, and not at what is below
	calls   atomic.Pointer[callback]
	glances atomic.Uint64 // grace periods that were over at a glance: grace.go
	_       [128 - 2*8]byte
}

// Token is a read section under way: in bit 0 its phase, from 1 the CPU, from 32 the number of its
// record in the tracker, if any.
type Token uint64

func (t Token) cpu() int      { return int(uint32(t) >> 1) }
func (t Token) phase() uint32 { return uint32(t) & 1 }

// New returns a Domain without readers. It panics if the number of CPUs is not positive.
func New(c Config) *Domain {
	if c.CPUs < 1 {
		panic("rcu: a Domain without CPUs")
	}
	d := &Domain{
		cells:   make([]cell, c.CPUs),
		traps:   c.Traps,
		pace:    pace{spins: maxSpins, yield: c.Yield, sleep: c.Sleep},
		now:     c.Now,
		cpu:     c.CPU,
		spawn:   c.Go,
		onStall: c.OnStall,
		stallNs: uint64(c.StallAfter),
	}
	if c.CPUs == 1 {
		d.pace.spins = 0 // who spins keeps the other from running
	}
	if d.pace.yield == nil {
		d.pace.yield = runtime.Gosched
	}
	if d.pace.sleep == nil {
		d.pace.sleep = time.Sleep
	}
	if d.now == nil {
		start := time.Now()
		d.now = func() uint64 { return uint64(time.Since(start)) }
	}
	switch {
	case c.CPUs == 1:
		d.cpu = func() int { return 0 } // there is no need to ask
	case d.cpu == nil:
		d.cpu = func() int { return rand.IntN(c.CPUs) }
	}
	if d.spawn == nil {
		d.spawn = func(f func()) { go f() }
	}
	if c.StallAfter <= 0 {
		d.stallNs = uint64(time.Second)
	}
	if c.Track {
		d.tracker = new(tracker)
	}
	return d
}

// CPU returns the CPU that the caller runs on, as Config.CPU tells: more or less.
func (d *Domain) CPU() int { return d.cpu() }

// ReadLock begins a read section. What the caller finds until ReadUnlock is not reused before. cpu
// is the caller's CPU; when it is another, sections are slower and as safe. Sections nest, and may
// last while the goroutine is preempted, blocked or moved.
func (d *Domain) ReadLock(cpu int) Token {
	return d.enter(cpu, d.phase.Load())
}

// enter begins a section in the phase that was loaded.
func (d *Domain) enter(cpu int, phase uint32) Token {
	atomic.AddUint64(&d.cells[cpu].readers[phase&1], 1) // pairs with the load in drain
	return Token(cpu)<<1 | Token(phase)
}

// ReadUnlock ends the section that ReadLock returned t for, on any CPU, once.
func (d *Domain) ReadUnlock(t Token) {
	if t>>32 != 0 {
		d.tracker.remove(t)
	}
	atomic.AddUint64(&d.cells[t.cpu()].readers[t.phase()], ^uint64(0)) // pairs with the load in drain
}

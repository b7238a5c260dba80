package linux

import (
	"math/bits"
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// signalSet is a set of pending signals, of a thread or of the process. A signal that is pending already is not queued again, real
// time or not, as POSIX allows where SA_SIGINFO queueing is not offered.
//
// A sender writes info and then the bit; a taker reads info and then clears the bit; both under lock. set may be read without.
type signalSet struct {
	lock lockfree.SpinLock
	set  atomic.Uint64 // bit sig-1
	info [sigMax]sigInfo
}

// sigInfo is what a signal carries: si_code and the two words behind it, whose meaning si_code tells (sigaction(2)).
type sigInfo struct {
	code   int32
	first  uint64 // at offset 16: sender's pid and uid, timer ID and overruns, or a fault's address
	second uint64 // at offset 24: value
}

// post makes sig pending.
func (s *signalSet) post(sig int, info sigInfo) {
	s.lock.Lock()
	if s.set.Load()&bit(sig) == 0 {
		s.info[sig-1] = info
		s.set.Or(bit(sig))
	}
	s.lock.Unlock()
}

// take removes the first pending signal outside mask, synchronous ones before all others as Linux does, and returns 0 if there is
// none.
func (s *signalSet) take(mask uint64) (sig int, info sigInfo) {
	if s.set.Load()&^mask == 0 {
		return 0, info
	}
	s.lock.Lock()
	if set := s.set.Load() &^ mask; set != 0 {
		if set&synchronous != 0 {
			set &= synchronous
		}
		sig = bits.TrailingZeros64(set) + 1
		info = s.info[sig-1]
		s.set.And(^bit(sig))
	}
	s.lock.Unlock()
	return sig, info
}

// drop forgets the signals of mask.
func (s *signalSet) drop(mask uint64) {
	s.lock.Lock()
	s.set.And(^mask)
	s.lock.Unlock()
}

func bit(sig int) uint64 { return 1 << (sig - 1) }

// signals is the part of a Thread that signals need. mask is written by the thread itself; senders read it.
type signals struct {
	mask    atomic.Uint64
	pending signalSet
}

// processPending are the signals that any thread may take.
var processPending signalSet

// deliverable is the set of signals that the thread could take now.
func (s *signals) deliverable() uint64 {
	return (s.pending.set.Load() | processPending.set.Load()) &^ s.mask.Load()
}

// Signal numbers (signal(7), x86-64).
const (
	sigHUP    = 1
	sigILL    = 4
	sigTRAP   = 5
	sigBUS    = 7
	sigFPE    = 8
	sigKILL   = 9
	sigSEGV   = 11
	sigPIPE   = 13
	sigALRM   = 14
	sigCHLD   = 17
	sigCONT   = 18
	sigSTOP   = 19
	sigTSTP   = 20
	sigTTIN   = 21
	sigTTOU   = 22
	sigURG    = 23
	sigVTALRM = 26
	sigPROF   = 27
	sigWINCH  = 28
	sigSYS    = 31
	sigMax    = 64
)

const (
	synchronous = 1<<(sigSEGV-1) | 1<<(sigBUS-1) | 1<<(sigILL-1) | 1<<(sigTRAP-1) | 1<<(sigFPE-1) | 1<<(sigSYS-1)
	unblockable = 1<<(sigKILL-1) | 1<<(sigSTOP-1)

	// harmless are the signals whose default action is nothing. There is no job control, so that stopping is among them.
	harmless = 1<<(sigCHLD-1) | 1<<(sigCONT-1) | 1<<(sigURG-1) | 1<<(sigWINCH-1) |
		1<<(sigSTOP-1) | 1<<(sigTSTP-1) | 1<<(sigTTIN-1) | 1<<(sigTTOU-1)
)

// si_code values.
const (
	siUser   int32 = 0
	siKernel int32 = 0x80
	siTimer  int32 = -2
	siTkill  int32 = -6
)

//go:build pdac && !race

package ipc

import "unsafe" // and go:linkname

// From one goroutine to its partner, past the scheduler: as runtime.coroswitch, which serves
// iter.Pull, but to a goroutine that sleeps at a parker. The caller has stopped, as for any gopark,
// and can be woken by anyone; then, instead of a search for work, the thread goes on with the partner.
//
// What the scheduler would have done, and why it may be left out:
//
//	locked threads      a goroutine that is locked to its thread, as either of the two, goes
//	                    through the scheduler
//	stopping the world  is asked for again each 100 us, of whoever runs then
//	preemption          the partner inherits the time slice, as from runnext: to sysmon both are
//	                    one goroutine that computes, and makes way after 10 ms
//	timers, network     wait as for one goroutine that computes, for 10 ms at most
//	tracing             the scheduler, so that the trace is complete
//	synctest            a goroutine in a bubble goes through the scheduler: gopark has more to do
//	                    when commit returns
//	idle processors     there is nothing for them: one goroutine runs, as before
//
// Rejected: runtime.coroswitch itself, which throws where a goroutine is locked, and stores the one
// that stops without a look at its token.

// handOver is what a parker needs to give the processor to another's goroutine.
type handOver struct {
	pinned bool    // the scheduler must let it run
	next   uintptr // goroutine that goes on
}

// park unparks partner, if there is one, and returns once there is a token, which it takes. It is for
// the owner alone.
func (p *parker) park(partner *parker) {
	p.pinned = lockedOSThread() || inBubble()
	stop := commit
	if partner != nil {
		if g := partner.sleeper.Swap(token); g > token {
			if !p.pinned && !partner.pinned {
				p.next, stop = g, commitTo
			} else {
				goready(g, 1)
			}
		}
	}
	gopark(stop, unsafe.Pointer(p), reason, reason, skip)
	p.sleeper.Store(0)
}

// commitTo is commit that goes on with the goroutine next.
func commitTo(g uintptr, at unsafe.Pointer) bool {
	p := (*parker)(at)
	next := p.next // with the CAS p is who wakes g's
	sleeps := p.sleeper.CompareAndSwap(0, g)
	if !sleeps || traceEnabled() {
		goready(next, 1)
		return sleeps
	}
	const waiting, runnable = 4, 1 // of the runtime's states
	casgstatus(next, waiting, runnable)
	execute(next, true) // doesn't return
	return true
}

//go:linkname lockedOSThread runtime.lockedOSThread
func lockedOSThread() bool

//go:linkname inBubble internal/synctest.IsInBubble
func inBubble() bool

//go:linkname traceEnabled runtime.traceEnabled
func traceEnabled() bool

//go:linkname casgstatus runtime.casgstatus
func casgstatus(g uintptr, from, to uint32)

//go:linkname execute runtime.execute
func execute(g uintptr, inheritTime bool)

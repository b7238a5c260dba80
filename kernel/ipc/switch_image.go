//go:build pdac && !race

package ipc

import "unsafe" // and go:linkname

// From one goroutine to its partner, past the scheduler: as runtime.coroswitch, which serves
// iter.Pull, but to a goroutine that sleeps at a parker. The caller stops, as by gopark, and can be
// woken by anyone; then, instead of a search for work, the thread goes on with the partner.
//
// What the scheduler would have done, and why it may be left out:
//
//	locked threads      a goroutine that is locked to its thread, as either of the two, goes
//	                    through the scheduler
//	stopping the world  is asked for again each 100 us, of whoever runs then
//	preemption          the partner inherits the time slice, as from runnext: to sysmon both are
//	                    one goroutine that computes, and makes way after 10 ms
//	timers, network     wait as for one goroutine that computes, for 10 ms at most
//	tracing             the scheduler, so that the trace is complete. Asked on the thread's own
//	                    stack, where no trace begins: that stops the world first
//	synctest            a goroutine in a bubble goes through the scheduler: gopark has more to do
//	idle processors     there is nothing for them: one goroutine runs, as before
//
// Rejected: runtime.coroswitch itself, which throws where a goroutine is locked, and stores the one
// that stops without a look at its token.

// handOver is what a parker needs to give the processor to another's goroutine.
type handOver struct {
	pinned bool            // the scheduler must let it run
	next   uintptr         // goroutine that goes on
	stop   func(g uintptr) // give, made once. Constant
}

// open makes what is made once.
func (p *parker) open() { p.stop = p.give }

// park unparks partner, if there is one, and returns once there is a token, which it takes. It is for
// the owner alone.
func (p *parker) park(partner *parker) {
	p.pinned = lockedOSThread() || inBubble()
	if partner != nil {
		if g := partner.sleeper.Swap(token); g > token {
			if p.pinned || partner.pinned {
				goready(g, 1)
			} else {
				p.next = g
				mcall(p.stop)
			}
		}
	}
	if p.sleeper.Load() == 0 { // nothing was handed over
		gopark(commit, unsafe.Pointer(p), reason, reason, skip)
	}
	p.sleeper.Store(0)
}

// give stops goroutine g, the owner's, unless there is a token, and goes on with the goroutine next. It
// runs on the thread's own stack and doesn't return; g goes on when there is a token, or at once, when
// a trace is to be complete.
func (p *parker) give(g uintptr) {
	const runnable, running, waiting = 1, 2, 4 // of the runtime's states
	next := p.next                             // with the CAS p is who wakes g's
	if traceEnabled() {
		goready(next, 1)
		goschedM(g)
	}
	casGToWaiting(g, running, reason)
	dropg()
	if !p.sleeper.CompareAndSwap(0, g) {
		goready(next, 1)
		next = g
	}
	casgstatus(next, waiting, runnable)
	execute(next, true)
}

//go:linkname mcall runtime.mcall
func mcall(f func(g uintptr))

//go:linkname casGToWaiting runtime.casGToWaiting
func casGToWaiting(g uintptr, from uint32, reason uint8)

//go:linkname dropg runtime.dropg
func dropg()

//go:linkname goschedM runtime.gosched_m
func goschedM(g uintptr)

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

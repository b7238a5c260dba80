//go:build !race

package ipc

import (
	"sync/atomic"
	"unsafe" // and go:linkname
)

// Parking a goroutine with what channels are made of.
//
// Words and writers: sleeper is 0, a token, or the goroutine that sleeps. 0 -> goroutine by CAS, when
// the goroutine has stopped; any -> token by XCHG, by who wakes, and who finds a goroutine there
// sees to it that it runs, so that it is readied once; token -> 0 by the owner, who looks at what he
// waits for after that. handOver is the owner's, but while he sleeps: then it is constant.
//
// Linearization: the CAS and the XCHG. Either the CAS finds the token, and the goroutine goes on, or
// the XCHG finds the goroutine.
//
// A goroutine is an integer here, for one word to hold all three: the runtime never frees a g.
//
// Who wakes a partner in order to wait for him gives him the processor, too, which saves half of the
// way through the scheduler (switch_image.go); on the host he readies him first (switch_host.go).
//
// Why not a channel: its lock, and the record of who waits that it takes and gives back, are 1,100 of
// the 4,000 instructions that a call and its reply then take. gopark and goready keep their names
// and types for users like this (go.dev/issue/67401). Code on the thread's own stack, as commit,
// can't be followed by the race detector: there it is a channel (park_race.go).
type parker struct {
	sleeper atomic.Uintptr
	handOver
}

const (
	token = 1

	reason, skip = 0, 2 // gopark's "waiting"
)

// unpark makes a token, if there is none. Of no parker (nil) it does nothing.
func (p *parker) unpark() {
	if p != nil {
		p.wake()
	}
}

//go:noinline
func (p *parker) wake() { // apart from unpark, so that this is inlined: there mostly is no partner
	if g := p.sleeper.Swap(token); g > token {
		goready(g, 1)
	}
}

// clear takes a token that may be there. Precondition: the owner doesn't sleep.
func (p *parker) clear() { p.sleeper.Store(0) }

// commit lets goroutine g sleep, unless there is a token. It runs on the thread's own stack.
//
//go:nosplit
func commit(g uintptr, p unsafe.Pointer) bool {
	return (*parker)(p).sleeper.CompareAndSwap(0, g)
}

//go:linkname gopark runtime.gopark
func gopark(commit func(g uintptr, p unsafe.Pointer) bool, p unsafe.Pointer, reason, traced uint8, skip int)

//go:linkname goready runtime.goready
func goready(g uintptr, skip int)

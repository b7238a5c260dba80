//go:build !pdac && !race

package ipc

import "unsafe"

// handOver has nothing to remember.
type handOver struct{}

// open has nothing to make.
func (p *parker) open() {}

// park unparks partner, if there is one, and returns once there is a token, which it takes. It is for
// the owner alone.
func (p *parker) park(partner *parker) {
	partner.unpark()
	gopark(commit, unsafe.Pointer(p), reason, reason, skip)
	p.sleeper.Store(0)
}

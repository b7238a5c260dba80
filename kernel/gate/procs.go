package gate

import (
	"sync"
	"time"
)

// The Go runtime's Ps. A goroutine runs only with one, and there are as many as CPUs: more spawned
// tasks that compute would wait in the runtime's queues, where no policy of the kernel's reaches them.
// So there is one for each spawned task beside those for the CPUs, up to a bound: past it tasks share
// Ps, and the policies decide between those that hold one.
//
// Each change stops the world, so it comes in steps: up by a step at once, down lazily, when two steps
// have been idle for a while.

const (
	procsStep   = 8
	procsBound  = 256         // beside those for the CPUs
	procsLinger = time.Second // for which Ps are kept that nobody needs
)

// procs counts the Ps that spawned tasks were given.
type procs struct {
	set  func(n int) // Threads.Procs
	cpus int

	mu      sync.Mutex
	tasks   int
	given   int
	waiting bool // for the time when Ps are taken away
}

// more is a task more.
func (p *procs) more() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tasks++
	if p.tasks > p.given && p.given < procsBound {
		p.give(min(p.given+procsStep, procsBound))
	}
}

// fewer is a task less.
func (p *procs) fewer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tasks--
	p.settle()
}

// settle sees to it that Ps that nobody needs are taken away later.
func (p *procs) settle() {
	if p.given-p.tasks >= 2*procsStep && !p.waiting {
		p.waiting = true
		time.AfterFunc(procsLinger, p.lower)
	}
}

// lower takes Ps away.
func (p *procs) lower() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = false
	if need := (p.tasks + procsStep - 1) / procsStep * procsStep; p.given-need >= procsStep {
		p.give(need)
	}
}

func (p *procs) give(n int) {
	p.given = n
	p.set(p.cpus + n)
}

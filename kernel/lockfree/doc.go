// Package lockfree holds the structures that CPUs share without a queue of waiters: a stack of
// indices, a queue of values, also bounded, a work-stealing deque, per-CPU counters, and the spin
// lock of the world below the runtime.
//
// World: both, but for Deque, which makes its own arrays. Nothing else here allocates, blocks, or
// stores a Go pointer; memory comes from the caller as slices, and elements are named by index.
// Unless a type says otherwise its zero value is ready for use.
//
// A bounded ring of turns (D. Vyukov's) was measured beside Bounded and rejected: it moves a value
// in two thirds of the time, but who stops between claiming a cell and filling it, as a preempted
// goroutine does, hides all that was pushed behind, so that a Pop says empty after a Push returned.
package lockfree

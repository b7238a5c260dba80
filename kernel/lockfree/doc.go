// Package lockfree holds the structures that CPUs share without a queue of waiters: a stack of
// indices and per-CPU counters, and the spin lock of the world below the runtime.
//
// World: both. Nothing here allocates, blocks, or stores a Go pointer; memory comes from the caller
// as slices, and elements are named by index. Unless a type says otherwise its zero value is ready
// for use.
package lockfree

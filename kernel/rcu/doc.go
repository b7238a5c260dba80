// Package rcu tells when nobody can be looking any more: read-copy-update in two flavours, and
// hazard pointers.
//
//	Domain    readers above the runtime: goroutines, which may be preempted and migrate
//	Traps     readers below the runtime: trap code, which does neither
//	Hazards   readers that name the one thing they look at
//
// World: both. Section and Traps are callable below the runtime, where they spin and nothing else;
// so are Hazard's Protect, Set and Clear. Everything else is for goroutines.
//
// # Why RCU beside a garbage collector
//
// The kernel's objects are slots of type-stable slices, node-local, named by index; the collector
// neither frees nor moves them, so who reuses a slot must know that no reader still takes it for
// what it was. Nor can a collector tell a writer *when* the last reader has gone: revoking a
// capability returns after the calls that it admitted have ended, unmapping frees page tables that
// only the hardware points to. Both are grace periods: an interval in which each read section that
// was under way at its begin has ended.
//
// # Why tokens
//
// A kernel in C disables preemption, or counts in the task; Go offers neither to a goroutine. It
// can be stopped at any instruction and go on on another CPU, and has no storage of its own. So a
// read section is a value: ReadLock counts it in a cell and the token names the cell, from which
// ReadUnlock, on whatever CPU, takes it back. A cell's count is then exactly the sections that are
// in it, and one look at a zero proves that all of them have ended. (Sleepable RCU counts an unlock
// where it happens, so that only sums over all CPUs mean something, and the order in which they are
// added up needs an argument of its own.) Nested sections are separate tokens and need no rule.
//
// # Why counters per CPU
//
// One counter for all would make readers write one cache line. One for each goroutine would have to
// be found by the reader (there is no way but a map), registered, and scanned by the hundred
// thousand. A cell per CPU is in that CPU's cache and there are few of them. The CPU number is only
// a hint: a reader that has migrated between learning it and counting shares a line for once.
// The count must be a locked instruction, for the same reason; it is the barrier that a reader
// needs, too.
//
// # Why not quiescent states or epochs, for goroutines
//
// Quiescent-state-based RCU (Traps is that) needs an instant at which a reader surely holds nothing.
// Below the runtime there is one, outside of trap code. A goroutine has none that we can see: the
// Go scheduler preempts it anywhere, reports that to nobody, and a thread that changes goroutines
// leaves the old one in the middle of its section. Epochs (Fraser 2004) need a record per reader
// with its epoch, which is the counter per goroutine again, and a reader that was preempted holds
// up every epoch after its own; here it holds up its phase, and the grace period in it, as it must.
//
// # Why hazard pointers, and only there
//
// A grace period waits for every reader, and until its end all that was removed is kept: with a
// slow reader that has no bound. That costs nothing where memory goes back to its own type. Where
// it is large and really freed or resized, as a segment of a table, and no collector keeps it, a reader
// names what it looks at and everything else can go at once: at most one reference a slot is kept.
// The price is a store and a second load for each reference, so nothing else uses them, and
// type-stable nodes with tags (package lockfree) need neither.
package rcu

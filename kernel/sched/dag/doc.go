// Package dag runs graphs of small functions that depend on each other: work too small for a task of
// its own (package sched), on one worker for each CPU.
//
//	g := dag.New("report")
//	read := g.Func("read", read)
//	sum := g.Func("sum", sum, read)     // after read
//	mean := g.Func("mean", mean, read)  // after read, beside sum
//	g.Func("print", print, sum, mean)   // after both
//	err := executor.Run(ctx, g)
//
// World: above the runtime. A worker is a goroutine, locked to its thread when the machine offers to
// pin it to a CPU.
//
// # How a function comes to run
//
// Every function has a count of the functions that it waits for. Who ends a function lowers the counts of its
// successors; who brings one to 0, and nobody else, owns that successor: it runs the first such one itself, at
// once, and puts the others into its deque (lockfree.Deque), named by {run, function} in one word. It takes the
// newest of its own next, while idle workers steal the oldest, half of what there is at a time. So a function runs exactly
// once: each count reaches 0 once, and each name is taken from a deque once.
//
// Whatever a worker has ready is on offer while it calls a function, since that may last: no ready function waits
// for a running one as long as a worker is idle. So the deque's private part serves a worker between two functions only; it
// is what makes a theft of half a deque right, and many successors cheap.
//
// Every 64 steps a worker turns to what is not its newest, in turn: a new run, and the oldest of its own. So no run is
// starved by those that came later.
//
// A run is over when all functions without successors have ended, since there is a way from every function to one of
// these. After a failure or cancellation functions are passed instead of called, by the same way, so that a run
// always ends in the same manner, with every count at 0 and no name left anywhere.
//
// # Bounds
//
// An executor has a fixed number of records for runs. Submit waits for a free one, so a stream of graphs takes bounded
// memory, and a graph that is run again allocates nothing.
//
// # No wakeup is lost, and nobody spins
//
// A worker that finds nothing looks again a few times, ever less often, and then parks. Parking is "set my bit, no
// longer count as searching, look once more"; giving work is "put it where it can be found, look at the searching
// and the bits" (idle.go). Go's atomics are sequentially consistent, so one of the two sees the other. An executor
// without work uses no CPU.
//
// # What functions must not do
//
// They should be short and not block: one that waits keeps its CPU's worker. One that waits for another function of
// its graph without depending on it may wait for ever. Waiting for a run from within a function is refused.
package dag

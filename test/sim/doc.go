// Package sim runs the guest's own scheduler, package kernel/sched as it is in the image, on a discrete-event machine with
// virtual time: 1 to 1,024 CPUs, seeded and deterministic.
//
// World: host only. Package sched has one machine a process, so there is one simulation at a time.
//
// # The model
//
// An event is a trap of one CPU: a task's system call, or the interrupts that have arrived. The machine always takes the
// earliest one, calls what a trap calls (sched.Tick, New, Enqueue, Park, Wake, Yield, Exit, then Leave), and looks at what
// came of it. The trap's effect is there for all at its beginning; its cost keeps its CPU busy, with interrupts off, from
// there on, and what the CPU then runs begins after it. A task that is taken by another CPU before its pusher has paid for
// the push begins after that.
//
// What is charged, by costs.go:
//
//	system call     Syscall, and New, Push, Park, Futex or Exit by what it does
//	interrupt       Interrupt for all that have arrived; HaltExit before it when the CPU was idle
//	Leave           Switch when it returns another task, Requeue when the last one wants to go on; Look for each CPU whose
//	                queue a search looks at
//	IPI             Send at the sender; Flight until it arrives
//	shared line     a queue (three), an idle bitmap's word, a task's record, a workload's counter: NearLine (own node) to FarLine (by
//	                SLIT distance) when another CPU wrote it last, after that CPU and all before in line have had it
//	search, refill  the same for lines that are read independently of each other, Overlap of them at a time
//	migration       the refill of the task's working set, from where it last ran
//
// # Not modelled
//
// What happens inside a trap is atomic: interleavings are the business of kernel/sched's tests and of the soak tests. A failed CAS
// is only the line's wait. No memory bandwidth, no SMT, no frequency,
// no C-state below C1, no TLB. A cache keeps a task's working set for as long as the task doesn't run elsewhere. An
// interrupt's path doesn't get longer under load. Timer events of idle CPUs cost what an interrupt costs.
package sim

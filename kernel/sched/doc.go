// Package sched runs tasks on CPUs: task records, per-CPU run queues without locks, classes and their policies, timers and the
// placement of wakeups. docs/SCHEDULER.md is the overview.
//
// World: below the runtime, with interrupts off; Stats, Info, GetAffinity and the setters of parameters also above, but SetClass and
// SetAffinity, which move tasks. It allocates nothing, holds no Go pointer that changes after boot, and knows the machine only through
// the function values of Machine, so that a host test or a simulator can be the machine. What every switch passes through, here and in
// package linux, is marked nosplit: the stack check, which never fires below the runtime, would be a few percent of it.
//
// Rejected: a wakeup that doesn't read the clock (22 instructions less of a futex round trip, and the waiting time unknown).
//
// # Who calls what
//
// A trap saves the context of the running task in Task.Ctx, does its work, and asks Leave what runs next:
//
//	system call     ... Park | Yield | Exit | nothing ...   Leave   restore Ctx, return
//	timer           Tick                                    Leave
//	reschedule IPI  nothing (the sender left its reason)    Leave
//	idle loop       Leave is 0: STI; HLT; again
//
// On its way out, after Leave, the trap looks at Task.Attn of the task it returns to; see Urgent.
//
// # The three arguments
//
// A task is never lost and never runs twice: its state word says who owns it, and every change of that word is either a
// store by the one owner or the one CAS that several compete for, each of whom names the stay or the sleep that it means (task.go,
// runq.go).
//
// No wakeup is lost: a wakeup names the number of the sleep that it means. A sleep that has not begun, or is over,
// has another number, so the CAS decides; the caller's own lock makes it see the number (linux: the wait queue's).
//
// No CPU sleeps on work: going idle is "set my bit, then look at the queues", giving work is "queue it, then look at the
// bits" (place.go). Go's atomics are sequentially consistent, so one of the two sees the other.
package sched

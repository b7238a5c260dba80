// Package sched runs tasks on CPUs: task records, per-CPU run queues without locks, classes and their policies, timers and the
// placement of wakeups. docs/SCHEDULER.md is the overview.
//
// World: below the runtime, with interrupts off; Stats, Info, GetAffinity and the setters of parameters also above, but SetClass and
// SetAffinity, which move tasks. It allocates nothing, holds no Go pointer that changes after boot, and knows the machine only through
// the function values of Machine, so that a host test or a simulator can be the machine. What every switch passes through, here and in
// package linux, is marked nosplit: the stack check, which never fires below the runtime, would be a few percent of it.
//
// # What a switch costs
//
// A futex round trip of the benchmark (test/bench/linux) is 1,110 instructions, where 1,000 were asked; it was 1,529. Half of it, as
// scripts/path.sh counts without affinity (508 before traces and homes):
//
//	program                                      82
//	entry and exit of two system calls          147   30 each to save and restore the registers, 12 each for the clock
//	FUTEX_WAKE, and Unpark                   53 + 61
//	FUTEX_WAIT, and Sleep                    86 + 79
//
// Some forty of these are NOPs by which the compiler marks where inlined calls begin.
//
// Tried: each of these, with what it took off a round trip
//   - a front slot that only its CPU fills, in place of the lone one, which needs a CAS to be filled from anywhere: 18, but a second
//     way for a task to wait, and a rewrite of all that asks whether any does;
//   - a woken task that is kept in its waker's hands (WAKING), in no queue, until the waker sleeps or traps: 36 more, by count. Signals
//     and idle CPUs would have to send it an IPI to get at it;
//   - a wakeup that doesn't read the clock: 24, and the waiting time unknown to a quantum;
//   - a bit for the slot among those of the bands: 10 more than asking for the slot itself;
//   - an unlock that doesn't check that the lock is held: 12, taken for the two of a futex's queue (SpinLock.Release).
//
// sched_yield of two is 276 (250 were asked), from 398: without affinity 247, of which entry and exit 86, program 33, PassTurn 119.
//
// # Who calls what
//
// A trap saves the context of the running task in Task.Ctx, does its work, and asks Leave what runs next:
//
//	system call     ... Park | Yield | Exit | nothing ...   Leave   restore Ctx, return
//	futex, yield    ... Sleep | PassTurn ...                        the same, when they give whom to go on with
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

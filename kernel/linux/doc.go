// Package linux answers the Linux system calls that the Go runtime and standard library make, a file per family.
//
// World: below the runtime. Every function that a trap reaches runs on a per-CPU kernel stack with interrupts off: it allocates
// nothing, blocks nowhere and holds no Go pointer in memory. A call that has to wait parks its task and returns; there is no
// kernel stack to come back to (wait.go).
//
// There is one process. Its threads are the scheduler's tasks: a thread ID is a task number, the process ID is 1, and the first
// task is the main thread. Program and kernel share an address space, so user memory is read and written in place, through the
// routines of usermem.go, which turn a bad pointer into EFAULT.
//
// Numbers, structures and semantics follow the Linux manual pages, section 2, and the x86-64 psABI; only what differs is said in
// the files.
package linux

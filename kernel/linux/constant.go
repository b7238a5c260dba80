package linux

import "unsafe"

// In Constants OwnNumber stands for the number of the task that calls, and OwnTurn for what Yield does.
const (
	OwnTurn   = 0xfe
	OwnNumber = 0xff
)

// Constants has, for each call whose answer never changes, that answer + 1, or
// OwnNumber; 0 for the others, but OwnTurn. The trap entry answers these without
// saving the task's context. Syscall answers them too.
var Constants = [CountedCalls]uint8{
	nrGetpid:  processID + 1,
	nrGetppid: 0 + 1,
	nrGetpgrp: processID + 1,
	nrGetuid:  0 + 1,
	nrGetgid:  0 + 1,
	nrGeteuid: 0 + 1,
	nrGetegid: 0 + 1,
	nrGettid:  OwnNumber,

	nrSchedYield: OwnTurn,
}

// CountsOf returns the address of a CPU's counters, a uint64 for each number
// below Calls, which only that CPU writes.
func CountsOf(cpu int) uintptr { return uintptr(unsafe.Pointer(&counts[cpu])) }

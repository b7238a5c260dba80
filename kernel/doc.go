// Package kernel puts the parts together: Boot takes the machine, as a
// [Hardware], and starts the scheduler, the Linux system calls and the program's
// first thread; Start, above the runtime, opens the console.
//
// World: Boot and what it calls run below the runtime, before it starts; start.go
// and what it calls, above.
package kernel

// Package gate is what a program may ask of the kernel: system calls that each name a capability
// first, and spaces, in whose name the Linux calls of the standard library reach outside.
//
// World: both. Programs and the kernel's own goroutines call it; what answers the Linux calls
// (ask.go) runs below the runtime.
//
//	call.go         the table of calls: name, type of object, permissions, gas
//	enter.go        the way in and out of a call
//	guard.go        calls that block
//	error.go        who is at fault
//	object.go       types of objects and their permissions
//	open.go         the gate's start, and the roots
//	space.go, ask.go   spaces, and what their Linux calls may
//	capability.go, task.go, memory.go, policy.go, endpoint.go, console.go, clock.go, log.go, stats.go, power.go
//	                the calls, a file per family
//	area.go         addresses of mapped memory
//	operator.go     what the kernel's console sees
//
// # What a program does
//
// The first program has the root capabilities, one for each type of object (Root). It derives
// narrower ones from them, and gives those away: as arguments of functions, in messages, or to a
// space, whose goroutines then reach outside by os and the like, as far as that goes.
//
//	r := gate.Root()
//	id, err := gate.CapDerive(r.Console, 0, gate.Write, gate.Options{})
//	n, err := gate.ConsoleWrite(id, []byte("hello\n"))
//
// Whoever knows an identifier may use it. A call without a valid one does nothing and says why.
package gate

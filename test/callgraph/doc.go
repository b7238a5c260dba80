// Package callgraph keeps DESIGN.md's two worlds apart in the linked image.
// From the Go functions that the trap entries call it follows every direct
// call and jump, and every indirect one to the targets that table.go lists,
// and fails where that leads to the allocator, a write barrier, a channel, a
// map, a lock that sleeps, or a system call. It is host code.
//
// The walk takes a function whole: code behind a condition that never holds
// counts as reached. What it cuts, and why, is in table.go too.
package callgraph

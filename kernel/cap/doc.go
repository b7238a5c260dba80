// Package cap holds the capabilities: who may do what to which object. A check is one load, no
// operation takes a lock, and revoking works everywhere at once.
//
// World: both. Holds, Find, Look and Verdict are callable below the runtime; everything else is for
// goroutines. Entries hold no Go pointers: values of objects and functions of users are in
// heap-side tables, by index.
//
// docs/CAPABILITIES.md is the construction; each file argues its part:
//
//	id.go, word.go      what an identifier is, and the one word that decides about it
//	table.go, slots.go  memory, growth, free slots
//	check.go, lookup.go, slow.go           asking
//	create.go, derive.go, grant.go         making and widening
//	narrow.go, revoke.go, leaf.go, transfer.go  taking away
//	tree.go, reclaim.go, room.go           the derivation tree, and when a slot is free again
//	wait.go, inside.go                     blocked calls, and who must not revoke
//	formula.go, gas.go, cache.go           what the slow path asks, and what saves it
package cap

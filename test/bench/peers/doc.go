// Package peers is the root of a module of its own, so that the peers that PDAC is measured beside
// are no dependencies of the kernel. It holds nothing; compare is the program. World: the host, an
// ordinary Linux process.
//
//	make bench-peers
//
// from the repository's root builds in what of liburcu and Concurrency Kit is installed; without
// both, go run -C test/bench/peers ./compare does the same.
package peers

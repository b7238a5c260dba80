// Pages compares 4 KiB with 2 MiB pages for the Go heap, by the figures that
// docs/HUGEPAGES.md argues from. As a kernel image it runs one program and prints
// what that took; on the host it builds that image, boots it for each program and
// each hugepages= in QEMU, and prints the table:
//
//	go run ./test/bench/pages
//
// Instructions are counted by -icount on one CPU, so they don't depend on the
// host. The share of local memory is from 4 CPUs in 2 nodes, and varies.
package main

import (
	"fmt"
	"os"

	board "pdac/board/qemu-amd64"
)

func main() {
	run := onHost
	if board.Running() {
		run = inGuest
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

// result is what a program in the guest prints, as JSON on a line after mark.
type result struct {
	Boot     uint64 // instructions from entry to main.main
	Took     uint64 // instructions of the program, its page faults included
	Bytes    uint64 // memory in use at its end, more than at its start
	Faults4K uint64
	Faults2M uint64
	Local    float64 // share of objects in memory of the node that allocated them
}

const mark = "result "

// Linux is the benchmark that runs, unchanged, as /init of a Linux guest and
// as an image of PDAC (board.go). It prints a line of ticks per operation for
// each thing measured; a tick is one of RDTSC, which under run-qemu.sh
// --icount is one instruction. Package compare runs it and keeps the record.
package main

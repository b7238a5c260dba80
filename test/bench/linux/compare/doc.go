// Compare runs the benchmark of the folder above in a guest of PDAC, and on
// request in one of Linux, on one CPU whose clock counts instructions, and
// prints both columns and their ratio. It is host code.
//
//	compare [-linux] [-record]
//	compare -forkjoin
//
// With -linux the Linux guest runs too; otherwise its column is that of the
// record. -record writes what was measured into the record. The package's test
// fails where PDAC's figures exceed the record by more than 5%.
//
// -forkjoin runs test/bench/forkjoin in both guests, on two CPUs and by the
// host's clock, and prints how much faster each is with the second.
package main

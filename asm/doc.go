// Package asm gives Go one x86-64 instruction per function, for both worlds:
// nothing here allocates, blocks or needs the Go runtime.
//
// Privileged instructions fault (#GP) in an ordinary process; CPUID, RDTSC,
// RDRAND, RDSEED, Pause, Prefetch, Goroutine and ZeroPages also run there.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual,
// volume 2 (instruction set reference).
package asm

package asm

// AVX says that ZeroPages may use 256-bit registers. Set once, at boot, when
// XCR0 enables them.
var AVX bool

// ZeroPages zeroes n 4 KiB pages from p, which is 4 KiB aligned, by vector
// stores. They beat REP STOS here on every count that we measure: under
// emulation each repetition is an instruction, and on hardware 4 KiB is near
// where the two are level.
func ZeroPages(p, n uintptr)

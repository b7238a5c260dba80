//go:build pdac

package main

import (
	"runtime"
	"unsafe"

	"pdac/asm"
	_ "pdac/board/qemu-amd64"
)

// What a page fault spends on zeroing is measured here, beside the program
// that both guests run: Linux zeroes by one REP STOSB, 4096 of these ticks.
func init() {
	const pages = 64
	b := make([]byte, (pages+1)<<12)
	first := (uintptr(unsafe.Pointer(&b[0])) + 4095) &^ 4095
	asm.ZeroPages(first, pages) // the faults
	t := rdtsc()
	for i := uintptr(0); i < pages; i++ {
		asm.ZeroPages(first+i<<12, 1)
	}
	report("zero 4K page", rdtsc()-t, pages)
	runtime.KeepAlive(b)
}

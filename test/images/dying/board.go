//go:build pdac

package main

import (
	"os"
	"slices"

	_ "pdac/board/qemu-amd64"
	"pdac/kernel"
	"pdac/kernel/crash/disasm"
)

// With the argument "bytes" the image is one that offers no disassembler.
func init() {
	if !slices.Contains(os.Args, "bytes") {
		kernel.OfferDisassembler(disasm.Line)
	}
}

//go:build pdac

package main

import (
	_ "pdac/board/qemu-amd64"
	"pdac/kernel"
	"pdac/kernel/crash/disasm"
)

func init() { kernel.OfferDisassembler(disasm.Line) }

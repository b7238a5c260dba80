// Package disasm puts the instruction at a crash into Go's assembly syntax. It allocates and has package initialisers, so it
// serves the world above the runtime only, and package crash, which serves the other one, takes its result as a string.
package disasm

import (
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"pdac/kernel/crash"
)

// Line returns the instruction that the bytes code at address pc begin with, with symbols for the addresses that it names. It
// returns "" if they are no instruction.
func Line(pc uint64, code []byte) string {
	inst, err := x86asm.Decode(code, 64)
	if err != nil || inst.Op == 0 {
		return ""
	}
	t, _ := crash.Symbols()
	name := func(addr uint64) (string, uint64) {
		s, ok := t.Lookup(addr)
		if !ok {
			return "", 0
		}
		return string(s.Outer), s.Entry
	}
	// GoSyntax writes a few addresses in full; on one line that is all there is room for.
	return strings.Join(strings.Fields(x86asm.GoSyntax(inst, pc, name)), " ")
}

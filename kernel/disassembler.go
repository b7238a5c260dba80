package kernel

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"pdac/asm"
)

// Disassembler writes the instruction at pc, whose bytes code begins with.
type Disassembler func(pc uint64, code []byte) string

var disassembler atomic.Pointer[Disassembler]

// OfferDisassembler has the console's command faults use d, and the crash dump of
// a panic for a fault. It is offered by the images that want it: the tables of
// x86asm make each garbage collection longer.
//
// Preconditions: the program's other goroutines, which may panic, come later: two
// of the runtime's variables change.
func OfferDisassembler(d Disassembler) {
	disassembler.Store(&d)
	describe(&memoryError)
	describe(&divideError)
}

// instructionMax is the length of the longest instruction (SDM 2A, 2.3.11).
const instructionMax = 15

// instruction is the instruction at pc, an address in Go's text, or, where no
// disassembler was offered, its bytes.
func instruction(pc uint64) string {
	code := unsafe.Slice((*byte)(asm.Pointer(pc)), instructionMax)
	if d := disassembler.Load(); d != nil {
		return (*d)(pc, code)
	}
	return fmt.Sprintf("% x", code)
}

package board

import (
	"unsafe"

	"pdac/asm"
)

// The trap entries set FS base by WRFSBASE. CPUs from before 2012 lack it. It is
// as long as a call, so that there each one becomes a call of setFS, before the
// first system call and before the text becomes read-only: a flag, looked at each
// time, would be eight instructions of two threads that wake each other.
var wrfsbase = [5]byte{0xf3, 0x48, 0x0f, 0xae, 0xd0} // WRFSBASE RAX (SDM 2D, WRFSBASE)

const callRel32 = 0xe8 // CALL, by what follows it

// hasFSGSBase says whether this CPU has the instructions.
func hasFSGSBase() bool {
	if max, _, _, _ := asm.CPUID(0, 0); max < 7 {
		return false
	}
	_, ebx, _, _ := asm.CPUID(7, 0)
	return ebx&cpuidFSGSBASE != 0
}

// patchFSBase makes the trap entries fit for the CPUs that this one stands for.
func patchFSBase() {
	if hasFSGSBase() {
		return
	}
	first, setFS := trapText()
	patchCalls(unsafe.Slice((*byte)(asm.Pointer(uint64(first))), setFS-first))
}

// patchCalls makes each WRFSBASE of text a call of what follows text, and returns
// how many there were.
func patchCalls(text []byte) (n int) {
	for i := 0; i+len(wrfsbase) <= len(text); i++ {
		if [len(wrfsbase)]byte(text[i:]) != wrfsbase {
			continue
		}
		to := uint32(len(text) - i - len(wrfsbase))
		text[i] = callRel32
		for b := range 4 {
			text[i+1+b] = byte(to >> (8 * b))
		}
		n++
	}
	return n
}

func trapText() (first, setFS uintptr)

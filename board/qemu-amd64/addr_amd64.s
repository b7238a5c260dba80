#include "go_asm.h"
#include "textflag.h"

// Addresses of the image that Go cannot name.

// func imageAddrs() (text, etext, rodata, erodata, end uint64)
TEXT ·imageAddrs(SB),NOSPLIT,$0-40
	MOVQ $runtime·text(SB), AX
	MOVQ AX, text+0(FP)
	MOVQ $runtime·etext(SB), AX
	MOVQ AX, etext+8(FP)
	MOVQ $runtime·rodata(SB), AX
	MOVQ AX, rodata+16(FP)
	MOVQ $runtime·erodata(SB), AX
	MOVQ AX, erodata+24(FP)
	MOVQ $runtime·end(SB), AX
	MOVQ AX, end+32(FP)
	RET

// func entryAddrs() (stubs, syscall, ap, trampoline, program uint64)
TEXT ·entryAddrs(SB),NOSPLIT,$0-40
	MOVQ $·stubs(SB), AX
	MOVQ AX, stubs+0(FP)
	MOVQ $·syscallEntry(SB), AX
	MOVQ AX, syscall+8(FP)
	MOVQ $·apEntry(SB), AX
	MOVQ AX, ap+16(FP)
	MOVQ $·trampoline(SB), AX
	MOVQ AX, trampoline+24(FP)
	MOVQ $_rt0_amd64_linux(SB), AX
	MOVQ AX, program+32(FP)
	RET

// func triple()
// With an empty IDT an exception is a triple fault, which resets the CPU.
TEXT ·triple(SB),NOSPLIT,$0-0
	UD2
	RET

// func thisCPU() int
TEXT ·thisCPU(SB),NOSPLIT,$0-8
	MOVQ percpu_id(GS), AX
	MOVQ AX, ret+0(FP)
	RET

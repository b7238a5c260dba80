#include "go_asm.h"
#include "textflag.h"

// func cpuToAX()
// The caller's CPU number, in AX.
TEXT ·cpuToAX(SB),NOSPLIT,$0-0
	MOVQ percpu_id(GS), AX
	RET

// func cpuToAXAddr() uintptr
TEXT ·cpuToAXAddr(SB),NOSPLIT,$0-8
	MOVQ $·cpuToAX(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func localToAX()
// What setLocal set for the caller's CPU, in AX.
TEXT ·localToAX(SB),NOSPLIT,$0-0
	MOVQ percpu_local(GS), AX
	RET

// func localToAXAddr() uintptr
TEXT ·localToAXAddr(SB),NOSPLIT,$0-8
	MOVQ $·localToAX(SB), AX
	MOVQ AX, ret+0(FP)
	RET

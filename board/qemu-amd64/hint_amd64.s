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

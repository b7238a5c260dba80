#include "go_asm.h"
#include "textflag.h"

// func Capture(r *Regs)
TEXT ·Capture(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	r+0(FP), AX
	MOVQ	BP, Regs_RBP(AX)
	MOVQ	0(SP), CX
	MOVQ	CX, Regs_RIP(AX)
	LEAQ	8(SP), CX
	MOVQ	CX, Regs_RSP(AX)
	PUSHFQ
	POPQ	Regs_RFLAGS(AX)
	RET

// func peek64(va uintptr) uint64
TEXT ·peek64(SB), NOSPLIT, $0-16
	MOVQ	va+0(FP), AX
	MOVQ	(AX), AX
	MOVQ	AX, ret+8(FP)
	RET

// func peek8(va uintptr) uint8
TEXT ·peek8(SB), NOSPLIT, $0-9
	MOVQ	va+0(FP), AX
	MOVBLZX	(AX), AX
	MOVB	AX, ret+8(FP)
	RET

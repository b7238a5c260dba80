#include "go_asm.h"
#include "textflag.h"
#include "clock_amd64.h"

// Stores AX, in ns, as clock_gettime does: DI = clock, SI = *timespec.
#define GETTIME(split) \
	TESTL DI, DI; \ // CLOCK_REALTIME
	JNE  split; \
	ADDQ ·wallclock+clock_wall(SB), AX; \
split: \
	XORL DX, DX; \
	MOVL $1000000000, CX; \
	DIVQ CX; \
	MOVQ AX, 0(SI); \
	MOVQ DX, 8(SI); \
	XORL AX, AX

// clockGettime and clockGettimeAnywhere are what the runtime calls in place of
// Linux's vDSO function: C ABI, callee-saved registers kept, on the program's side
// of the kernel: an interrupt may come at any instruction.
TEXT ·clockGettime(SB),NOSPLIT|NOFRAME,$0
	NOW(retry)
	GETTIME(split)
	RET

TEXT ·clockGettimeAnywhere(SB),NOSPLIT|NOFRAME,$0
	NOW_ANYWHERE(retry)
	GETTIME(split)
	RET

// func now() uint64
TEXT ·now(SB),NOSPLIT,$0-8
	NOW_ANYWHERE(retry)
	MOVQ AX, ret+0(FP)
	RET

// readClock and readClockAnywhere are now as a Go function of ABIInternal, which
// returns in AX and keeps R14 and X15: a call by its value comes straight here.
TEXT ·readClock(SB),NOSPLIT|NOFRAME,$0
	NOW(retry)
	RET

TEXT ·readClockAnywhere(SB),NOSPLIT|NOFRAME,$0
	NOW_ANYWHERE(retry)
	RET

// A function value is the address of a word that holds the code's.
DATA ·clockValue+0(SB)/8, $·readClock(SB)
DATA ·clockValue+8(SB)/8, $·readClockAnywhere(SB)
GLOBL ·clockValue(SB), RODATA|NOPTR, $16

// func clockFunc(anywhere bool) func() uint64
TEXT ·clockFunc(SB),NOSPLIT,$0-16
	MOVBLZX anywhere+0(FP), AX
	LEAQ ·clockValue(SB), CX
	LEAQ (CX)(AX*8), AX
	MOVQ AX, ret+8(FP)
	RET

// func installClock(anywhere bool)
TEXT ·installClock(SB),NOSPLIT,$0-1
	MOVQ $·clockGettime(SB), AX
	CMPB anywhere+0(FP), $0
	JEQ  store
	MOVQ $·clockGettimeAnywhere(SB), AX

store:
	MOVQ AX, runtime·vdsoClockgettimeSym(SB)
	RET

#include "go_asm.h"
#include "textflag.h"

// AX := ns of the count in AX.
#define SCALE \
	SUBQ ·wallclock+clock_tscBase(SB), AX; \
	MULQ ·wallclock+clock_mult(SB); \
	SHRQ $32, DX, AX; \
	ADDQ ·wallclock+clock_nsBase(SB), AX

// AX := the time in ns, by two ways: where all CPUs have the same counter and
// RDTSCP, which waits for earlier loads as LFENCE does; and anywhere. CX, DX, R8,
// R9 and R10 are clobbered. A reading is good when every rate that was begun had
// been written before it began.
#define NOW(retry) \
retry: \
	MOVQ ·wallclock+clock_written(SB), R8; \
	RDTSCP; \
	SHLQ $32, DX; \
	ORQ  DX, AX; \
	SCALE; \
	CMPQ ·wallclock+clock_begun(SB), R8; \
	JNE  retry

// Counter and offset must be of one CPU: no trap may have come between, which
// percpu.trap tells: it grows with each. (A thread that went to another CPU and
// back between two instructions, with both counts the same, would be missed.)
#define NOW_ANYWHERE(retry) \
retry: \
	MOVQ ·wallclock+clock_written(SB), R8; \
	MOVQ percpu_self(GS), R9; \
	MOVQ percpu_trap(GS), R10; \
	LFENCE; \
	RDTSC; \
	MOVQ percpu_tscOffset(GS), CX; \
	CMPQ percpu_self(GS), R9; \
	JNE  retry; \
	CMPQ percpu_trap(GS), R10; \
	JNE  retry; \
	SHLQ $32, DX; \
	ORQ  DX, AX; \
	ADDQ CX, AX; \
	SCALE; \
	CMPQ ·wallclock+clock_begun(SB), R8; \
	JNE  retry

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

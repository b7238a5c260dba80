#include "go_asm.h"
#include "textflag.h"

// clockGettime is what the runtime calls in place of Linux's vDSO function:
// C ABI, DI = clock, SI = *timespec, callee-saved registers kept, on the
// program's side of the kernel: an interrupt may come at any instruction.
//
// The reading is good when the clock's sequence number was even and the same
// before and after. Where the CPUs' counters differ, counter and offset must be
// of one CPU: no trap may have come between, which percpu.trap tells (it grows
// with each, so the pair of record and count never repeats).
TEXT ·clockGettime(SB),NOSPLIT|NOFRAME,$0
	LEAQ ·wallclock(SB), R10

retry:
	MOVQ clock_seq(R10), R8
	TESTQ $1, R8
	JNE  retry
	CMPQ clock_perCPU(R10), $0
	JNE  corrected
	LFENCE
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX

scale:
	SUBQ clock_tscBase(R10), AX
	MULQ clock_mult(R10)
	SHRQ $32, DX, AX
	ADDQ clock_nsBase(R10), AX
	CMPQ clock_seq(R10), R8
	JNE  retry
	TESTL DI, DI // CLOCK_REALTIME
	JNE  split
	ADDQ clock_wall(R10), AX

split:
	XORL DX, DX
	MOVQ $1000000000, CX
	DIVQ CX
	MOVQ AX, 0(SI)
	MOVQ DX, 8(SI)
	XORL AX, AX
	RET

corrected:
	MOVQ percpu_self(GS), R9
	MOVQ percpu_trap(GS), R11
	LFENCE
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	ADDQ percpu_tscOffset(GS), AX
	CMPQ percpu_self(GS), R9
	JNE  corrected
	CMPQ percpu_trap(GS), R11
	JNE  corrected
	JMP  scale

// func correctedTSC() uint64
TEXT ·correctedTSC(SB),NOSPLIT,$0-8
again:
	MOVQ percpu_self(GS), R9
	MOVQ percpu_trap(GS), R11
	LFENCE
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	ADDQ percpu_tscOffset(GS), AX
	CMPQ percpu_self(GS), R9
	JNE  again
	CMPQ percpu_trap(GS), R11
	JNE  again
	MOVQ AX, ret+0(FP)
	RET

// func installClock()
TEXT ·installClock(SB),NOSPLIT,$0-0
	MOVQ $·clockGettime(SB), AX
	MOVQ AX, runtime·vdsoClockgettimeSym(SB)
	RET

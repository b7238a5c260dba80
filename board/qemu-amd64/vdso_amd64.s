#include "go_asm.h"
#include "textflag.h"

// AX := this moment's count, for the rate of wallclock; DX, CX and R9 clobbered.
// R8 must hold the clock's sequence number; when it is not plain the count is
// read at slow, which comes back to done or, when the clock is being written, to
// retry. RDTSCP waits for earlier loads as LFENCE does.
#define COUNT(slow, done) \
	TESTQ $(const_seqWriting+const_seqSpecial), R8; \
	JNE  slow; \
	RDTSCP; \
	SHLQ $32, DX; \
	ORQ  DX, AX; \
done:

#define COUNT_SLOW(slow, again, done, retry) \
slow: \
	TESTQ $const_seqWriting, R8; \
	JNE  retry; \
again: \
	MOVQ percpu_self(GS), R9; \
	MOVQ percpu_trap(GS), CX; \
	LFENCE; \
	RDTSC; \
	SHLQ $32, DX; \
	ORQ  DX, AX; \
	ADDQ percpu_tscOffset(GS), AX; \
	CMPQ percpu_self(GS), R9; \
	JNE  again; \
	CMPQ percpu_trap(GS), CX; \
	JNE  again; \
	JMP  done

// AX := ns of the count in AX.
#define SCALE \
	SUBQ ·wallclock+clock_tscBase(SB), AX; \
	MULQ ·wallclock+clock_mult(SB); \
	SHRQ $32, DX, AX; \
	ADDQ ·wallclock+clock_nsBase(SB), AX

// clockGettime is what the runtime calls in place of Linux's vDSO function:
// C ABI, DI = clock, SI = *timespec, callee-saved registers kept, on the
// program's side of the kernel: an interrupt may come at any instruction.
//
// The reading is good when the clock's sequence number was even and the same
// before and after. Where the CPUs' counters differ, counter and offset must be
// of one CPU: no trap may have come between, which percpu.trap tells: it grows
// with each. (A thread that went to another CPU and back between two instructions,
// with both counts the same, would be missed.)
TEXT ·clockGettime(SB),NOSPLIT|NOFRAME,$0
retry:
	MOVQ ·wallclock+clock_seq(SB), R8
	COUNT(slow, done)
	SCALE
	CMPQ ·wallclock+clock_seq(SB), R8
	JNE  retry
	TESTL DI, DI // CLOCK_REALTIME
	JNE  split
	ADDQ ·wallclock+clock_wall(SB), AX

split:
	XORL DX, DX
	MOVL $1000000000, CX
	DIVQ CX
	MOVQ AX, 0(SI)
	MOVQ DX, 8(SI)
	XORL AX, AX
	RET
	COUNT_SLOW(slow, again, done, retry)

// func now() uint64
TEXT ·now(SB),NOSPLIT,$0-8
retry:
	MOVQ ·wallclock+clock_seq(SB), R8
	COUNT(slow, done)
	SCALE
	CMPQ ·wallclock+clock_seq(SB), R8
	JNE  retry
	MOVQ AX, ret+0(FP)
	RET
	COUNT_SLOW(slow, again, done, retry)

// func installClock()
TEXT ·installClock(SB),NOSPLIT,$0-0
	MOVQ $·clockGettime(SB), AX
	MOVQ AX, runtime·vdsoClockgettimeSym(SB)
	RET

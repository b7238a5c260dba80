#include "go_asm.h"
#include "textflag.h"
#include "clock_amd64.h"

// The way in and out of the kernel. GS points to the CPU's percpu record for
// good. The interrupted context goes into the task's sched.Context, never on a
// stack, so that a switch of tasks is a change of percpu.ctx. percpu.trap is
// odd while the CPU is in here.
//
// A context whose Vector field is 0 came by SYSCALL (or starts like one): the
// program expects RCX, R11, the flags and the vector registers clobbered, so
// the way back is STI and a jump. The rest goes back by XRSTOR and IRETQ, which
// leaves Vector and RFLAGS as a system call is to find them.
//
// Go functions are called as the compiler calls them (ABIInternal: arguments in
// AX, BX, CX, DI, SI, room above the return address to spill them, R14 = g,
// X15 = 0), through function values, whose code the assembler cannot name: its
// own calls of Go would go by a wrapper. R14 and X15 are the same when Go returns.

#define MSR_FSBASE 0xc0000100

// FS base := AX. CX and DX may be clobbered: patchFSBase makes this a call where
// the CPU has no WRFSBASE.
#define SETFS \
	BYTE $0xf3; BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0xd0 // WRFSBASE AX

// The beginning of a system call: its context to where R11 then points, and the
// CPU made ready for Go.
#define ENTER \
	MOVQ percpu_ctx(GS), R11; \
	MOVQ AX, context_RAX(R11); \
	MOVQ BX, context_RBX(R11); \
	MOVQ CX, context_RIP(R11); \
	MOVQ DX, context_RDX(R11); \
	MOVQ SI, context_RSI(R11); \
	MOVQ DI, context_RDI(R11); \
	MOVQ BP, context_RBP(R11); \
	MOVQ SP, context_RSP(R11); \
	MOVQ R8, context_R8(R11); \
	MOVQ R9, context_R9(R11); \
	MOVQ R10, context_R10(R11); \
	MOVQ R12, context_R12(R11); \
	MOVQ R13, context_R13(R11); \
	MOVQ R14, context_R14(R11); \
	MOVQ R15, context_R15(R11); \
	STMXCSR context_MXCSR(R11); \
	INCQ percpu_trap(GS); \
	MOVQ percpu_entry(GS), SP; \
	XORL BP, BP; \
	MOVQ percpu_tls(GS), AX; \
	SETFS; \
	XORPS X15, X15; \
	MOVQ percpu_fakeG(GS), R14

// What every system call's function has as its first arguments.
#define ARGUMENTS \
	MOVQ percpu_id(GS), AX; \
	MOVL percpu_task(GS), BX; \
	MOVQ R11, CX

// The end of a system call: to the context R15 points to, whose FS base and MXCSR
// are set.
#define RETURN \
	INCQ percpu_trap(GS); \
	MOVQ context_RAX(R15), AX; \
	MOVQ context_RBX(R15), BX; \
	MOVQ context_RIP(R15), CX; \
	MOVQ context_RDX(R15), DX; \
	MOVQ context_RSI(R15), SI; \
	MOVQ context_RDI(R15), DI; \
	MOVQ context_RBP(R15), BP; \ // not vet's business: nobody to return to
	MOVQ context_RSP(R15), SP; \
	MOVQ context_R8(R15), R8; \
	MOVQ context_R9(R15), R9; \
	MOVQ context_R10(R15), R10; \
	MOVQ context_R12(R15), R12; \
	MOVQ context_R13(R15), R13; \
	MOVQ context_R14(R15), R14; \
	MOVQ context_R15(R15), R15; \
	STI; \ // takes effect after the next instruction
	JMP  CX

// Call of the Go function whose value is in that variable, on the kernel stack.
#define CALLGO(value) \
	MOVQ value(SB), DX; \
	CALL (DX)

// SYSCALL entry (MSR LSTAR): RCX = return address, R11 = flags, interrupts off.
// Calls are counted here. One whose answer is a constant, or the number of its
// thread, gets it from a table and needs no context. futex and sched_yield have a
// way of their own, since threads that wait for each other do little else: they
// are told the time, and say whom to go on with.
TEXT ·syscallEntry(SB),NOSPLIT|NOFRAME,$0
	CMPQ AX, $const_futex
	JEQ  futex
	CMPQ AX, $const_countedCalls
	JAE  other
	MOVQ percpu_counts(GS), R11
	INCQ (R11)(AX*8) // this CPU's own
	LEAQ pdac∕kernel∕linux·Constants(SB), R11
	MOVBLZX (R11)(AX*1), R11
	SUBL $1, R11
	JLT  other
	CMPL R11, $const_ownTurn-1
	JAE  special
	MOVQ R11, AX
	STI // takes effect after the next instruction
	JMP  CX

special:
	JEQ  yield
	MOVL percpu_task(GS), AX // ownNumber
	STI
	JMP  CX

futex:
	MOVQ percpu_counts(GS), R11
	INCQ (const_futex*8)(R11)
	ENTER
	MOVQ ·onFutex(SB), R12

timed:
	NOW_HERE(retry)
	MOVQ AX, DI
	ARGUMENTS
	CALL (R12)
	TESTL AX, AX
	JNE  next

	// Anything to do but to go back to the task? Not for a signal, unless the call
	// said that there is something to do: who sends one from elsewhere kicks.
	MOVQ percpu_need(GS), AX
	CMPL (AX), $0
	JNE  switch
	MOVQ percpu_ctx(GS), R15
	MOVQ context_FS(R15), AX
	SETFS
	RETURN

yield:
	ENTER
	MOVQ ·onYield(SB), R12
	JMP  timed

other:
	ENTER
	ARGUMENTS
	CALLGO(·onCall)

	// Anything to do but to go back to the task? The scheduler has, or a signal waits for
	// the task. One that has left the CPU is not looked at: the scheduler has something to do.
	MOVQ percpu_need(GS), AX
	CMPL (AX), $0
	JNE  switch
	MOVQ percpu_ctx(GS), R15
	CMPL const_attn(R15), $0
	JNE  leave

called:
	MOVQ context_FS(R15), AX
	SETFS
	CMPQ context_Vector(R15), $0
	JNE  full // after rt_sigreturn, too
	LDMXCSR context_MXCSR(R15)
	RETURN

full:
	JMP  ·back(SB)

	// What leave does too, which finds it done: the short way from task to task.
switch:
	MOVQ percpu_id(GS), AX
	CALLGO(·onSwitch)
	TESTL AX, AX
	JEQ  leave

next:
	MOVL AX, percpu_task(GS)
	IMUL3Q $const_taskSize, AX, R15
	ADDQ percpu_contexts(GS), R15
	MOVQ R15, percpu_ctx(GS)
	CMPL const_attn(R15), $0
	JEQ  called

leave:
	MOVQ percpu_self(GS), AX
	CALLGO(·onLeave)
	JMP  ·resume(SB)

// resume goes back to the task in percpu.ctx, or idles.
TEXT ·resume(SB),NOSPLIT|NOFRAME,$0
	MOVQ percpu_ctx(GS), R15
	TESTQ R15, R15
	JZ   idle
	JMP  ·back(SB)

idle:
	MOVQ percpu_entry(GS), SP
	INCQ percpu_trap(GS)

halt:
	STI
	HLT
	JMP  halt

// back goes back to the task whose context R15 points to.
TEXT ·back(SB),NOSPLIT|NOFRAME,$0
	MOVQ context_FS(R15), AX
	SETFS
	CMPQ context_Vector(R15), $0
	JNE  full
	LDMXCSR context_MXCSR(R15)
	RETURN

full:
	MOVQ $0, context_Vector(R15) // the next system call counts on both
	MOVQ percpu_entry(GS), SP
	MOVL $-1, AX
	MOVL $-1, DX
	MOVQ context_XSave(R15), CX
	CMPQ ·xsaveSize(SB), $0
	JEQ  fx
	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0x29 // XRSTOR64 (CX)
	JMP  regs

fx:
	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0x09 // FXRSTOR64 (CX)

regs:
	PUSHQ $16
	PUSHQ context_RSP(R15)
	PUSHQ context_RFLAGS(R15)
	MOVQ $const_programFlags, context_RFLAGS(R15)
	PUSHQ $8
	PUSHQ context_RIP(R15)
	MOVQ context_RAX(R15), AX
	MOVQ context_RBX(R15), BX
	MOVQ context_RCX(R15), CX
	MOVQ context_RDX(R15), DX
	MOVQ context_RSI(R15), SI
	MOVQ context_RDI(R15), DI
	MOVQ context_RBP(R15), BP
	MOVQ context_R8(R15), R8
	MOVQ context_R9(R15), R9
	MOVQ context_R10(R15), R10
	MOVQ context_R11(R15), R11
	MOVQ context_R12(R15), R12
	MOVQ context_R13(R15), R13
	MOVQ context_R14(R15), R14
	MOVQ context_R15(R15), R15
	INCQ percpu_trap(GS)
	IRETQ

// trapCommon serves exceptions and interrupts. On the IST stack: vector, error
// code, RIP, CS, RFLAGS, RSP, SS.
TEXT ·trapCommon(SB),NOSPLIT|NOFRAME,$0
	CLD // gates leave DF as the program had it (memmove sets it)
	TESTQ $1, percpu_trap(GS)
	JNE  kernel
	MOVQ AX, percpu_scratch(GS)
	MOVQ percpu_ctx(GS), AX
	TESTQ AX, AX
	JZ   saved
	MOVQ BX, context_RBX(AX)
	MOVQ CX, context_RCX(AX)
	MOVQ DX, context_RDX(AX)
	MOVQ SI, context_RSI(AX)
	MOVQ DI, context_RDI(AX)
	MOVQ BP, context_RBP(AX)
	MOVQ R8, context_R8(AX)
	MOVQ R9, context_R9(AX)
	MOVQ R10, context_R10(AX)
	MOVQ R11, context_R11(AX)
	MOVQ R12, context_R12(AX)
	MOVQ R13, context_R13(AX)
	MOVQ R14, context_R14(AX)
	MOVQ R15, context_R15(AX)
	MOVQ percpu_scratch(GS), BX
	MOVQ BX, context_RAX(AX)
	MOVQ 16(SP), BX
	MOVQ BX, context_RIP(AX)
	MOVQ 32(SP), BX
	MOVQ BX, context_RFLAGS(AX)
	MOVQ 40(SP), BX
	MOVQ BX, context_RSP(AX)
	MOVQ $1, context_Vector(AX)
	STMXCSR context_MXCSR(AX)
	MOVQ context_XSave(AX), CX
	MOVL $-1, AX
	MOVL $-1, DX
	CMPQ ·xsaveSize(SB), $0
	JEQ  fx
	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0x21 // XSAVE64 (CX)
	JMP  saved

fx:
	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0x01 // FXSAVE64 (CX)

saved:
	INCQ percpu_trap(GS)
	MOVQ percpu_tls(GS), AX
	SETFS
	MOVQ 0(SP), BX
	MOVQ 8(SP), CX
	MOVQ CR2, DI
	MOVQ 16(SP), SI
	MOVQ percpu_entry(GS), SP
	XORL BP, BP
	XORPS X15, X15
	MOVQ percpu_self(GS), AX
	MOVQ percpu_fakeG(GS), R14
	CALLGO(·onTrap)
	JMP  ·resume(SB)

kernel:
	JMP ·stay(SB)

// setFS is SETFS by WRMSR. The last of the routines that use SETFS.
TEXT ·setFS(SB),NOSPLIT|NOFRAME,$0
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $MSR_FSBASE, CX
	WRMSR
	RET

// func trapText() (first, setFS uintptr)
TEXT ·trapText(SB),NOSPLIT|NOFRAME,$0-16
	LEAQ ·syscallEntry(SB), AX
	MOVQ AX, first+0(FP)
	LEAQ ·setFS(SB), AX
	MOVQ AX, setFS+8(FP)
	RET

// stay serves what may come at any instruction of the kernel: its own faults,
// NMI, double fault and machine check, each on a stack of its own, and goes
// back to where it was. Same stack as trapCommon.
TEXT ·stay(SB),NOSPLIT|NOFRAME,$0
	PUSHQ R15
	PUSHQ R14
	PUSHQ R13
	PUSHQ R12
	PUSHQ R11
	PUSHQ R10
	PUSHQ R9
	PUSHQ R8
	PUSHQ BP
	PUSHQ DI
	PUSHQ SI
	PUSHQ DX
	PUSHQ CX
	PUSHQ BX
	PUSHQ AX
	MOVQ SP, BX
	SUBQ $512, SP
	ANDQ $~63, SP
	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0x04; BYTE $0x24 // FXSAVE64 (SP)
	MOVQ SP, R12
	SUBQ $64, SP
	MOVQ R12, 48(SP)
	MOVQ BX, 40(SP)
	MOVL $MSR_FSBASE, CX // the program's, if it came from there
	RDMSR
	MOVL AX, 32(SP)
	MOVL DX, 36(SP)
	MOVQ percpu_tls(GS), AX
	MOVQ AX, DX
	SHRQ $32, DX
	WRMSR
	MOVQ percpu_self(GS), AX
	MOVQ AX, 0(SP)
	MOVQ BX, 8(SP)
	MOVQ CR2, AX
	MOVQ AX, 16(SP)
	XORPS X15, X15
	CALL ·trapKernel(SB)
	MOVL 32(SP), AX
	MOVL 36(SP), DX
	MOVL $MSR_FSBASE, CX
	WRMSR
	MOVQ 40(SP), BX
	MOVQ 48(SP), CX
	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0x09 // FXRSTOR64 (CX)
	MOVQ BX, SP
	POPQ AX
	POPQ BX
	POPQ CX
	POPQ DX
	POPQ SI
	POPQ DI
	POPQ BP
	POPQ R8
	POPQ R9
	POPQ R10
	POPQ R11
	POPQ R12
	POPQ R13
	POPQ R14
	POPQ R15
	ADDQ $16, SP
	IRETQ

#include "textflag.h"

// func CPUID(leaf, sub uint32) (eax, ebx, ecx, edx uint32)
TEXT ·CPUID(SB),NOSPLIT,$0-24
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	MOVL DX, edx+20(FP)
	RET

// func RDTSC() uint64
TEXT ·RDTSC(SB),NOSPLIT,$0-8
	LFENCE
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func RDRAND() (v uint64, ok bool)
TEXT ·RDRAND(SB),NOSPLIT,$0-9
	RDRANDQ AX
	SETCS   ok+8(FP)
	MOVQ    AX, v+0(FP)
	RET

// func RDSEED() (v uint64, ok bool)
TEXT ·RDSEED(SB),NOSPLIT,$0-9
	RDSEEDQ AX
	SETCS   ok+8(FP)
	MOVQ    AX, v+0(FP)
	RET

// func RDMSR(msr uint32) uint64
TEXT ·RDMSR(SB),NOSPLIT,$0-16
	MOVL msr+0(FP), CX
	RDMSR
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+8(FP)
	RET

// func WRMSR(msr uint32, v uint64)
TEXT ·WRMSR(SB),NOSPLIT,$0-16
	MOVL msr+0(FP), CX
	MOVQ v+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	WRMSR
	RET

// func CR0() uint64
TEXT ·CR0(SB),NOSPLIT,$0-8
	MOVQ CR0, AX
	MOVQ AX, ret+0(FP)
	RET

// func CR2() uint64
TEXT ·CR2(SB),NOSPLIT,$0-8
	MOVQ CR2, AX
	MOVQ AX, ret+0(FP)
	RET

// func CR3() uint64
TEXT ·CR3(SB),NOSPLIT,$0-8
	MOVQ CR3, AX
	MOVQ AX, ret+0(FP)
	RET

// func CR4() uint64
TEXT ·CR4(SB),NOSPLIT,$0-8
	MOVQ CR4, AX
	MOVQ AX, ret+0(FP)
	RET

// func SetCR0(v uint64)
TEXT ·SetCR0(SB),NOSPLIT,$0-8
	MOVQ v+0(FP), AX
	MOVQ AX, CR0
	RET

// func SetCR3(v uint64)
TEXT ·SetCR3(SB),NOSPLIT,$0-8
	MOVQ v+0(FP), AX
	MOVQ AX, CR3
	RET

// func SetCR4(v uint64)
TEXT ·SetCR4(SB),NOSPLIT,$0-8
	MOVQ v+0(FP), AX
	MOVQ AX, CR4
	RET

// func XGETBV() uint64
TEXT ·XGETBV(SB),NOSPLIT,$0-8
	XORL CX, CX
	XGETBV
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func XSETBV(v uint64)
TEXT ·XSETBV(SB),NOSPLIT,$0-8
	XORL CX, CX
	MOVQ v+0(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	BYTE $0x0f; BYTE $0x01; BYTE $0xd1 // XSETBV
	RET

// func LGDT(p uintptr)
TEXT ·LGDT(SB),NOSPLIT,$0-8
	MOVQ p+0(FP), AX
	BYTE $0x0f; BYTE $0x01; BYTE $0x10 // LGDT (AX), 64-bit operand
	RET

// func LIDT(p uintptr)
TEXT ·LIDT(SB),NOSPLIT,$0-8
	MOVQ p+0(FP), AX
	BYTE $0x0f; BYTE $0x01; BYTE $0x18 // LIDT (AX), 64-bit operand
	RET

// func LTR(selector uint16)
TEXT ·LTR(SB),NOSPLIT,$0-2
	MOVW selector+0(FP), AX
	BYTE $0x0f; BYTE $0x00; BYTE $0xd8 // LTR AX
	RET

// func Pause()
TEXT ·Pause(SB),NOSPLIT,$0-0
	PAUSE
	RET

// func CLI()
TEXT ·CLI(SB),NOSPLIT,$0-0
	CLI
	RET

// func STI()
TEXT ·STI(SB),NOSPLIT,$0-0
	STI
	RET

// func HLT()
TEXT ·HLT(SB),NOSPLIT,$0-0
	HLT
	RET

// func STIHLT()
TEXT ·STIHLT(SB),NOSPLIT,$0-0
	STI
	HLT
	CLI
	RET

// func MFENCE()
TEXT ·MFENCE(SB),NOSPLIT,$0-0
	MFENCE
	RET

// func LFENCE()
TEXT ·LFENCE(SB),NOSPLIT,$0-0
	LFENCE
	RET

// func Prefetch(p uintptr)
TEXT ·Prefetch(SB),NOSPLIT,$0-8
	MOVQ       p+0(FP), AX
	PREFETCHT0 (AX)
	RET

// func INVLPG(va uint64)
TEXT ·INVLPG(SB),NOSPLIT,$0-8
	MOVQ   va+0(FP), AX
	INVLPG (AX)
	RET

// func Goroutine() uintptr
TEXT ·Goroutine(SB),NOSPLIT,$0-8
	MOVQ (TLS), AX
	MOVQ AX, ret+0(FP)
	RET

// func FlushTLB()
TEXT ·FlushTLB(SB),NOSPLIT,$0-0
	MOVQ CR3, AX
	MOVQ AX, CR3
	RET

#include "textflag.h"

// Routines that touch user memory. Each instruction that may fault lies between userRead and userFault, and none of them moves SP:
// Fixup counts on both. Three words in, ok at 24(FP) in all of them.

// func userRead(dst unsafe.Pointer, src, n uint64) (ok bool)
TEXT ·userRead(SB), NOSPLIT|NOFRAME, $0-25
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), DX
	MOVQ DX, CX
	SHRQ $3, CX
	ANDL $7, DX
	REP; MOVSQ
	MOVQ DX, CX
	REP; MOVSB
	MOVB $1, ok+24(FP)
	RET

// func userWrite(dst uint64, src unsafe.Pointer, n uint64) (ok bool)
TEXT ·userWrite(SB), NOSPLIT|NOFRAME, $0-25
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), DX
	MOVQ DX, CX
	SHRQ $3, CX
	ANDL $7, DX
	REP; MOVSQ
	MOVQ DX, CX
	REP; MOVSB
	MOVB $1, ok+24(FP)
	RET

// func userZero(dst, n, _ uint64) (ok bool)
TEXT ·userZero(SB), NOSPLIT|NOFRAME, $0-25
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), CX
	SHRQ $3, CX
	XORL AX, AX
	REP; STOSQ
	MOVB $1, ok+24(FP)
	RET

// func userLoad32(a, _, _ uint64) (ok bool, v uint32)
TEXT ·userLoad32(SB), NOSPLIT|NOFRAME, $0-32
	MOVQ a+0(FP), AX
	MOVL (AX), CX
	MOVL CX, v+28(FP)
	MOVB $1, ok+24(FP)
	RET

// func userLoad64(a, _, _ uint64) (ok bool, v uint64)
TEXT ·userLoad64(SB), NOSPLIT|NOFRAME, $0-40
	MOVQ a+0(FP), AX
	MOVQ (AX), CX
	MOVQ CX, v+32(FP)
	MOVB $1, ok+24(FP)
	RET

// func userStore32(a uint64, v uint32, _ uint64) (ok bool)
TEXT ·userStore32(SB), NOSPLIT|NOFRAME, $0-25
	MOVQ a+0(FP), AX
	MOVL v+8(FP), CX
	MOVL CX, (AX)
	MOVB $1, ok+24(FP)
	RET

// func userStore64(a, v, _ uint64) (ok bool)
TEXT ·userStore64(SB), NOSPLIT|NOFRAME, $0-25
	MOVQ a+0(FP), AX
	MOVQ v+8(FP), CX
	MOVQ CX, (AX)
	MOVB $1, ok+24(FP)
	RET

// func userFault(_, _, _ uint64) (ok bool)
TEXT ·userFault(SB), NOSPLIT|NOFRAME, $0-25
	MOVB $0, ok+24(FP)
	RET

// userWordAt is a Go function of ABIInternal, func(a uint64) (v uint32, ok bool): a in AX, v in AX, ok in BX. It may fault at its MOVL (AX)
// only, and then goes on in userWordFault.
TEXT ·userWordAt(SB), NOSPLIT|NOFRAME, $0
	XORL BX, BX
	MOVL (AX), AX
	MOVL $1, BX
	RET

TEXT ·userWordFault(SB), NOSPLIT|NOFRAME, $0
	RET

// A function value is the address of a word that holds the code's.
DATA ·wordValue+0(SB)/8, $·userWordAt(SB)
GLOBL ·wordValue(SB), RODATA|NOPTR, $8

// func wordFunc() func(a uint64) (v uint32, ok bool)
TEXT ·wordFunc(SB), NOSPLIT|NOFRAME, $0-8
	LEAQ ·wordValue(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func wordText() (first, landing uintptr)
TEXT ·wordText(SB), NOSPLIT|NOFRAME, $0-16
	LEAQ ·userWordAt(SB), AX
	MOVQ AX, first+0(FP)
	LEAQ ·userWordFault(SB), AX
	MOVQ AX, landing+8(FP)
	RET

// func userText() (first, landing uintptr)
TEXT ·userText(SB), NOSPLIT|NOFRAME, $0-16
	LEAQ ·userRead(SB), AX
	MOVQ AX, first+0(FP)
	LEAQ ·userFault(SB), AX
	MOVQ AX, landing+8(FP)
	RET

#include "textflag.h"

// func tables() (pclntab unsafe.Pointer, size, text uintptr)
TEXT ·tables(SB), NOSPLIT, $0-24
	LEAQ	runtime·pclntab(SB), AX
	MOVQ	AX, pclntab+0(FP)
	LEAQ	runtime·epclntab(SB), BX
	SUBQ	AX, BX
	MOVQ	BX, size+8(FP)
	LEAQ	runtime·text(SB), CX
	MOVQ	CX, text+16(FP)
	RET

#include "go_asm.h"
#include "textflag.h"

// Scratch memory of the entry, below the image (linked at 4 MiB) and free on
// every PC: page tables, GDT and stack of the first instructions. The real
// ones replace them in start.
#define BOOT_PML4 0x200000
#define BOOT_GDT  0x206000
#define BOOT_SP   0x208000

#define CR0_BITS 0x80010023 // PG | WP | NE | MP | PE
#define CR4_BITS 0x660      // OSXMMEXCPT | OSFXSR | MCE | PAE
#define EFER_BITS 0x901     // NXE | LME | SCE
#define MSR_EFER 0xc0000080
#define MSR_FSBASE 0xc0000100
#define MSR_GSBASE 0xc0000101

// Entry is the PVH entry: 32-bit protected mode, flat segments, paging off,
// EBX = physical address of hvm_start_info.
//
// The Go assembler knows 64-bit mode only. Up to the far return this uses the
// instructions whose 32-bit encoding is the same: 32-bit operands, register
// addressing, no symbol (that would be RIP-relative).
TEXT ·Entry(SB),NOSPLIT|NOFRAME,$0
	CLI
	CLD
	MOVL $BOOT_SP, SP

	// Identity map of the first 4 GiB by 2 MiB pages.
	MOVL $BOOT_PML4, DI
	XORL AX, AX
	MOVL $(6*1024), CX
	REP; STOSL
	MOVL $BOOT_PML4, DI
	MOVL $(BOOT_PML4+0x1003), 0(DI)
	MOVL $(BOOT_PML4+0x2003), 0x1000(DI)
	MOVL $(BOOT_PML4+0x3003), 0x1008(DI)
	MOVL $(BOOT_PML4+0x4003), 0x1010(DI)
	MOVL $(BOOT_PML4+0x5003), 0x1018(DI)
	ADDL $0x2000, DI
	MOVL $0x83, AX
	MOVL $2048, CX

fill:
	MOVL AX, 0(DI)
	ADDL $8, DI
	ADDL $0x200000, AX
	SUBL $1, CX
	JNE  fill

	// GDT: null, 64-bit code, data.
	MOVL $BOOT_GDT, DI
	XORL AX, AX
	MOVL AX, 0(DI)
	MOVL AX, 4(DI)
	MOVL $0x0000ffff, 8(DI)
	MOVL $0x00af9a00, 12(DI)
	MOVL $0x0000ffff, 16(DI)
	MOVL $0x00cf9200, 20(DI)
	MOVL $(23 | (BOOT_GDT&0xffff)<<16), 32(DI)
	MOVL $(BOOT_GDT>>16), 36(DI)
	BYTE $0x0f; BYTE $0x01; BYTE $0x57; BYTE $0x20 // LGDT 32(DI)

	// Long mode (SDM 3A, 10.8.5).
	MOVL $CR4_BITS, AX
	MOVL AX, CR4
	MOVL $BOOT_PML4, AX
	MOVL AX, CR3
	MOVL $MSR_EFER, CX
	MOVL $EFER_BITS, AX
	XORL DX, DX
	WRMSR
	MOVL $CR0_BITS, AX
	MOVL AX, CR0
	CALL ·far64(SB)

	// 64-bit from here.
	MOVL $16, AX
	MOVW AX, DS
	MOVW AX, ES
	MOVW AX, SS

	// Where there is no RAM behind the image's end stores are lost, and nothing
	// further on could say why.
	MOVQ $runtime·edata(SB), DI
	MOVQ -8(DI), AX
	MOVQ AX, CX
	NOTQ CX
	MOVQ CX, -8(DI)
	MOVQ -8(DI), DX
	MOVQ AX, -8(DI)
	CMPQ DX, CX
	JNE  tooSmall

	MOVL BX, BX
	MOVQ BX, ·startInfo(SB)
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ·entryTSC(SB)
	MOVQ $·boot(SB), BX
	LEAQ ·bootStack+const_bootStackSize(SB), AX
	ANDQ $~63, AX
	MOVQ AX, percpu_stack(BX)
	MOVQ AX, SP
	CALL ·cpuBase(SB)
	XORL BP, BP; // not vet's business: nobody to return to
	CALL ·start(SB)
	JMP  ·resume(SB)

tooSmall:
	LEAQ tooSmallText<>(SB), SI

tell:
	MOVBLZX (SI), AX
	MOVL    $0x3f8, DX // COM1's data register, which QEMU never keeps waiting
	OUTB
	INCQ    SI
	CMPB    (SI), $0
	JNE     tell
	MOVL    $const_exitPanic, AX
	MOVL    $const_debugExit, DX
	OUTB

wait:
	CLI
	HLT
	JMP wait

DATA tooSmallText<>+0(SB)/8, $"pdac: th"
DATA tooSmallText<>+8(SB)/8, $"e memory"
DATA tooSmallText<>+16(SB)/8, $" is too "
DATA tooSmallText<>+24(SB)/8, $"small fo"
DATA tooSmallText<>+32(SB)/8, $"r the im"
DATA tooSmallText<>+40(SB)/8, $"age\r\nPDA"
DATA tooSmallText<>+48(SB)/8, $"C-EXIT 2"
DATA tooSmallText<>+56(SB)/8, $"54\r\n\x00\x00\x00\x00"
GLOBL tooSmallText<>(SB), RODATA, $64

// far64 returns to its caller in 64-bit mode: the caller's 32-bit return
// address becomes that of a far return to the code selector, 8.
TEXT ·far64(SB),NOSPLIT|NOFRAME,$0
	BYTE $0x58             // POP EAX
	BYTE $0x6a; BYTE $0x08 // PUSH 8
	BYTE $0x50             // PUSH EAX
	BYTE $0xcb             // RETF
	RET

// cpuBase points GS at the per-CPU record in BX, FS at its fake g, and gives
// the vector units a known state. Clobbers AX, CX, DX.
TEXT ·cpuBase(SB),NOSPLIT|NOFRAME,$0
	XORL AX, AX
	MOVW AX, FS
	MOVW AX, GS
	MOVQ BX, percpu_self(BX)
	LEAQ percpu_g(BX), AX
	MOVQ AX, percpu_fakeG(BX)
	LEAQ (percpu_fakeG+8)(BX), AX
	MOVQ AX, percpu_tls(BX)
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $MSR_FSBASE, CX
	WRMSR
	MOVQ BX, AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $MSR_GSBASE, CX
	WRMSR
	MOVQ $1, percpu_trap(BX)
	BYTE $0xdb; BYTE $0xe3 // FNINIT
	MOVL $0x1f80, percpu_scratch(BX)
	LDMXCSR percpu_scratch(BX)
	XORPS X15, X15
	RET

// apEntry is where the trampoline jumps to, in 64-bit mode on the final page
// tables: find this CPU's record by its APIC ID, take its stack, go to Go.
TEXT ·apEntry(SB),NOSPLIT|NOFRAME,$0
	MOVL $16, AX
	MOVW AX, DS
	MOVW AX, ES
	MOVW AX, SS

	// The x2APIC ID of leaf 0xB where there is one, else the 8-bit ID of leaf 1.
	XORL AX, AX
	CPUID
	CMPL AX, $0xb
	JB   leaf1
	MOVL $0xb, AX
	XORL CX, CX
	CPUID
	TESTL BX, BX
	JZ   leaf1
	MOVL DX, SI
	JMP  find

leaf1:
	MOVL $1, AX
	CPUID
	MOVL BX, SI
	SHRL $24, SI

find:
	MOVQ ·apFirst(SB), BX // record of CPU 1
	MOVQ ·apCount(SB), DI

next:
	TESTQ DI, DI
	JZ   lost
	CMPL percpu_apicID(BX), SI
	JEQ  found
	ADDQ $percpu__size, BX
	SUBQ $1, DI
	JMP  next

found:
	MOVQ percpu_stack(BX), SP
	CALL ·cpuBase(SB)
	XORL BP, BP
	PUSHQ BX
	CALL ·startAP(SB)
	JMP  ·resume(SB)

lost: // not one that the tables name: stay out of the way
	CLI
	HLT
	JMP lost

// func setBase(c *percpu)
// Moves this CPU to the record c. The fake g that Go code runs on goes along, so
// the caller may not hold the old one: R14 is reloaded from the new slot.
TEXT ·setBase(SB),NOSPLIT,$0-8
	MOVQ c+0(FP), BX
	CALL ·cpuBase(SB)
	RET

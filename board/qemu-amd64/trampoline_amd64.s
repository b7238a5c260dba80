#include "textflag.h"

// The real-mode start of an AP, copied to page 8 (physical 0x8000) and entered
// at 0800:0000 by SIPI. It goes straight from real to long mode (SDM 3A, 10.8.5
// asks only for the order of the bits) on the page tables and to the entry that
// startAPs leaves in the last 16 bytes of the page:
//	0xff0  CR3, below 4 GiB
//	0xff8  address of apEntry
// 16-bit code: the assembler cannot, so bytes, a line each.
TEXT ·trampoline(SB),NOSPLIT|NOFRAME,$0
	BYTE $0xfa                                             // 00 CLI
	BYTE $0xfc                                             // 01 CLD
	BYTE $0x8c; BYTE $0xc8                                 // 02 MOV AX, CS
	BYTE $0x8e; BYTE $0xd8                                 // 04 MOV DS, AX
	BYTE $0x66; BYTE $0x0f; BYTE $0x01; BYTE $0x16; BYTE $0x58; BYTE $0x00 // 06 LGDTL [0x58]
	BYTE $0x66; BYTE $0xb8; LONG $0x00000660               // 0c MOV EAX, OSXMMEXCPT|OSFXSR|MCE|PAE
	BYTE $0x0f; BYTE $0x22; BYTE $0xe0                     // 12 MOV CR4, EAX
	BYTE $0x66; BYTE $0xa1; BYTE $0xf0; BYTE $0x0f         // 15 MOV EAX, [0xff0]
	BYTE $0x0f; BYTE $0x22; BYTE $0xd8                     // 19 MOV CR3, EAX
	BYTE $0x66; BYTE $0xb9; LONG $0xc0000080               // 1c MOV ECX, EFER
	BYTE $0x66; BYTE $0xb8; LONG $0x00000901               // 22 MOV EAX, NXE|LME|SCE
	BYTE $0x66; BYTE $0x31; BYTE $0xd2                     // 28 XOR EDX, EDX
	BYTE $0x0f; BYTE $0x30                                 // 2b WRMSR
	BYTE $0x66; BYTE $0xb8; LONG $0x80010023               // 2d MOV EAX, PG|WP|NE|MP|PE
	BYTE $0x0f; BYTE $0x22; BYTE $0xc0                     // 33 MOV CR0, EAX
	BYTE $0x66; BYTE $0xea; LONG $0x00008060; BYTE $0x08; BYTE $0x00 // 36 JMP 8:0x8060
	BYTE $0x90; BYTE $0x90                                 // 3e
	QUAD $0                                                // 40 GDT: null
	QUAD $0x00af9b000000ffff                               // 48 64-bit code, accessed: the page is read-only
	QUAD $0x00cf93000000ffff                               // 50 data, accessed
	BYTE $0x17; BYTE $0x00; LONG $0x00008040               // 58 GDTR: limit 23, base 0x8040
	BYTE $0x90; BYTE $0x90                                 // 5e
	BYTE $0x48; BYTE $0xa1; QUAD $0x8ff8                   // 60 MOV RAX, [0x8ff8]
	BYTE $0xff; BYTE $0xe0                                 // 6a JMP RAX
	BYTE $0xf4                                             // 6c
	RET

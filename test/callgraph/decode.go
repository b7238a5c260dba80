package callgraph

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// edges is what a function's code can do.
type edges struct {
	direct   []uint64 // targets outside the function
	indirect int      // calls and jumps to where only the table knows
	syscall  bool
}

// decode disassembles function f from its first byte to its last.
func (img *image) decode(f function) (edges, error) {
	var out edges
	code := img.bytes(f.addr, f.size)
	if code == nil {
		return out, fmt.Errorf("%s: no code in the file", f.name)
	}
	tables := make(map[x86asm.Reg]uint64) // register -> address that a LEA put there
	for off := 0; off < len(code); {
		// What x86asm does not know is never a branch.
		if n := max(vexLength(code[off:]), rdseedLength(code[off:])); n > 0 {
			off += n
			continue
		}
		inst, err := x86asm.Decode(code[off:], 64)
		if err != nil {
			return out, fmt.Errorf("%s+%#x: % x: %w", f.name, off, code[off:min(off+12, len(code))], err)
		}
		off += inst.Len
		next := f.addr + uint64(off)
		switch inst.Op {
		case x86asm.SYSCALL:
			out.syscall = true
		case x86asm.LEA:
			reg, mem := inst.Args[0].(x86asm.Reg), inst.Args[1].(x86asm.Mem)
			if mem.Base == x86asm.RIP {
				tables[reg] = next + uint64(mem.Disp)
			}
			continue
		}
		switch target := inst.Args[0].(type) {
		case x86asm.Rel:
			if to := next + uint64(int64(target)); !f.holds(to) {
				out.direct = append(out.direct, to)
			}
		case x86asm.Reg, x86asm.Mem:
			switch inst.Op {
			case x86asm.CALL, x86asm.LCALL, x86asm.LJMP:
				out.indirect++
			case x86asm.JMP:
				if !img.jumpTable(f, target, tables) {
					out.indirect++
				}
			}
		}
	}
	return out, nil
}

// jumpTable tells whether a JMP through arg is a switch of f: the compiler
// loads the address of a table of 8-byte addresses in f, and jumps through it
// by an index that it has checked.
func (img *image) jumpTable(f function, arg x86asm.Arg, tables map[x86asm.Reg]uint64) bool {
	mem, ok := arg.(x86asm.Mem)
	if !ok || mem.Index == 0 || mem.Scale != 8 || mem.Disp != 0 {
		return false
	}
	table, ok := tables[mem.Base]
	if !ok {
		return false
	}
	to, ok := img.word(table)
	return ok && f.holds(to)
}

// vexLength returns the length of an AVX instruction at the start of code, 0
// if there is none: x86asm knows only legacy encodings, and the runtime's
// memory routines use AVX. See SDM volume 2A, 2.3 (VEX) and table 2-13 ff.
func vexLength(code []byte) int {
	var escape byte // opcode map: 1 is 0F, 2 is 0F38, 3 is 0F3A
	var n int       // bytes before the opcode
	switch {
	case len(code) >= 3 && code[0] == 0xc5:
		escape, n = 1, 2
	case len(code) >= 4 && code[0] == 0xc4:
		escape, n = code[1]&0x1f, 3
	default:
		return 0
	}
	op := code[n]
	n++
	if escape == 1 && op == 0x77 { // VZEROUPPER, VZEROALL: no ModRM
		return n
	}
	if n >= len(code) {
		return 0
	}
	modrm := code[n]
	n++
	mod, rm := modrm>>6, modrm&7
	base := rm
	if mod != 3 && rm == 4 { // SIB
		if n >= len(code) {
			return 0
		}
		base = code[n] & 7
		n++
	}
	switch {
	case mod == 1:
		n++
	case mod == 2, mod == 0 && base == 5:
		n += 4
	}
	// One byte of immediate: all of 0F3A, and the shuffles, shifts, compares and inserts of 0F.
	if escape == 3 || escape == 1 && (op >= 0x70 && op <= 0x73 || op == 0xc2 || op >= 0xc4 && op <= 0xc6) {
		n++
	}
	if n > len(code) {
		return 0
	}
	return n
}

// rdseedLength returns the length of an RDSEED or RDPID at the start of code,
// 0 if there is none: 0F C7 /7 with a register, after prefixes.
func rdseedLength(code []byte) int {
	n := 0
	for n < len(code) && (code[n] == 0x66 || code[n] == 0xf3 || code[n]>>4 == 4) { // operand size, REP, REX
		n++
	}
	if len(code) >= n+3 && code[n] == 0x0f && code[n+1] == 0xc7 && code[n+2] >= 0xf8 {
		return n + 3
	}
	return 0
}

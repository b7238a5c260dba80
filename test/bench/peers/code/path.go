// Package code reads the machine code of this program's own functions: what the compiler made of a
// check.
package code

import (
	"fmt"
	"reflect"
	"runtime"
	"unsafe"

	"golang.org/x/arch/x86/x86asm"
)

// Path is the instructions from a function's entry to its return.
type Path []x86asm.Inst

// Clean returns the longest way through f on which nothing is called: of a check, that on which it
// passes, when its other ways end early or call something. It fails where there is none, or where f
// loops.
func Clean(f any) (Path, error) {
	entry := reflect.ValueOf(f).UnsafePointer()
	w := walk{entry: entry, name: runtime.FuncForPC(uintptr(entry)).Name()}
	if err := w.from(0, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	if w.best == nil {
		return nil, fmt.Errorf("%s: every way through it calls something", w.name)
	}
	return w.best, nil
}

// Instructions beyond which a way is taken for a loop.
const tooLong = 200

type walk struct {
	entry unsafe.Pointer
	name  string
	best  Path
}

// from follows all ways from an offset in the function on, behind the instructions in so.
func (w *walk) from(pc uintptr, so Path) error {
	const longest = 15 // bytes of an instruction; as much is mapped behind each: other functions follow
	for len(so) < tooLong {
		text := unsafe.Slice((*byte)(unsafe.Add(w.entry, pc)), longest)
		i, err := x86asm.Decode(text, 64)
		if err != nil {
			return err
		}
		next := pc + uintptr(i.Len)
		switch {
		case i.Op == x86asm.CALL:
			return nil
		case i.Op == x86asm.RET:
			if so = append(so, i); len(so) > len(w.best) {
				w.best = so
			}
			return nil
		case i.Op == x86asm.NOP: // the compiler's padding and marks
			pc = next
			continue
		}
		target, jumps := i.Args[0].(x86asm.Rel)
		if !jumps {
			so = append(so, i)
			pc = next
			continue
		}
		to := next + uintptr(target)
		if f := runtime.FuncForPC(uintptr(w.entry) + to); f == nil || f.Entry() != uintptr(w.entry) {
			return nil // a tail call
		}
		if i.Op != x86asm.JMP {
			so = append(so, i)
			if err := w.from(next, append(Path(nil), so...)); err != nil {
				return err
			}
		}
		pc = to
	}
	return fmt.Errorf("longer than %d instructions", tooLong)
}

// Loads returns the places of the instructions that read memory, the stack and what g points to
// (R14) left out.
func (p Path) Loads() (at []int) {
	for i, inst := range p {
		for _, a := range inst.Args[:] {
			m, ok := a.(x86asm.Mem)
			if ok && inst.Op != x86asm.LEA && m.Base != x86asm.RSP && m.Base != x86asm.R14 && m.Base != x86asm.RBP {
				at = append(at, i)
			}
		}
	}
	return at
}

// Decision returns the place of the last instruction that turns flags into a branch or a value, -1
// if none does.
func (p Path) Decision() int {
	at := -1
	for i, inst := range p {
		switch _, jump := inst.Args[0].(x86asm.Rel); {
		case jump && inst.Op != x86asm.JMP, sets[inst.Op]:
			at = i
		}
	}
	return at
}

var sets = map[x86asm.Op]bool{x86asm.SETE: true, x86asm.SETNE: true}

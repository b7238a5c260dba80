package cap

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// What the compiler makes of a check that passes. The tests run under the race detector, which puts
// calls everywhere, so the code is that of a program of its own.
const checker = `package main

import (
	"os"
	"sync/atomic"

	"pdac/kernel/cap"
)

//go:noinline
func bare(t *cap.Table, id cap.ID) bool { return t.Holds(id, cap.Read|cap.Write) }

//go:noinline
func branch(t *cap.Table, id cap.ID) int {
	if !t.Holds(id, cap.Read|cap.Write) {
		return 0
	}
	return 7
}

//go:noinline
func asked(t *cap.Table, id cap.ID, p cap.Perm) bool { return t.Holds(id, p) }

//go:noinline
func full(t *cap.Table, id cap.ID) bool { return t.Holds(id, cap.Read) || t.Check(id, cap.Read) }

// What must be found.

//go:noinline
func swaps(w *atomic.Uint64) uint64 { return w.Swap(1) }

//go:noinline
func adds(w *atomic.Uint64) uint64 { return w.Add(1) }

//go:noinline
func calls(t *cap.Table, id cap.ID) bool { return t.Check(id, 0) }

func main() {
	var t cap.Table
	var w atomic.Uint64
	id := cap.ID(len(os.Args))
	_, lookup := t.Lookup(0, id, 0)
	_, admit := t.Admit(0, id, 0, 0, 0)
	println(bare(&t, id), branch(&t, id), asked(&t, id, cap.Perm(id)), full(&t, id), swaps(&w), adds(&w), calls(&t, id), lookup, admit)
}
`

// way is the instructions from a function's entry to a return.
type way []x86asm.Inst

// ways returns all ways through a function on which nothing is called. The others are those on which
// a check asks further, or the stack grows.
func ways(text []byte) (found []way, err error) {
	const tooLong = 200 // a loop
	var from func(pc int, so way) error
	from = func(pc int, so way) error {
		for len(so) < tooLong {
			i, err := x86asm.Decode(text[pc:], 64)
			if err != nil {
				return err
			}
			pc += i.Len
			if i.Op == x86asm.CALL {
				return nil
			}
			if i.Op != x86asm.NOP { // else the compiler's padding, or its mark of what is inlined
				so = append(so, i)
			}
			if i.Op == x86asm.RET {
				found = append(found, so)
				return nil
			}
			by, jumps := i.Args[0].(x86asm.Rel)
			if !jumps {
				continue
			}
			to := pc + int(by)
			if i.Op != x86asm.JMP {
				if err := from(pc, slices.Clone(so)); err != nil {
					return err
				}
			} else {
				so = so[:len(so)-1]
			}
			if to < 0 || to >= len(text) {
				return nil // a call of another function in place of this one
			}
			pc = to
		}
		return fmt.Errorf("longer than %d instructions", tooLong)
	}
	return found, from(0, nil)
}

// memory reports whether an instruction names memory.
func memory(i x86asm.Inst) bool {
	return slices.ContainsFunc(i.Args[:], func(a x86asm.Arg) bool {
		_, ok := a.(x86asm.Mem)
		return ok
	})
}

// locked returns the first instruction that locks memory. Nil: there is none.
func (w way) locked() *x86asm.Inst {
	for _, i := range w {
		lock := slices.ContainsFunc(i.Prefix[:], func(p x86asm.Prefix) bool { return p&0xff == x86asm.PrefixLOCK })
		if lock || i.Op == x86asm.XCHG && memory(i) {
			return &i
		}
	}
	return nil
}

// overLoad returns how many instructions there are after the last load until the flags are a branch
// or a value; -1: there are no such two.
func (w way) overLoad() int {
	load, decision := -1, -1
	for at, i := range w {
		_, branch := i.Args[0].(x86asm.Rel)
		switch {
		case branch, i.Op == x86asm.SETE, i.Op == x86asm.SETNE:
			decision = at
		case memory(i) && i.Op != x86asm.LEA:
			load, decision = at, -1
		}
	}
	if load < 0 || decision < 0 {
		return -1
	}
	return decision - load
}

// compiled returns the machine code of functions in a program.
func compiled(t *testing.T, program string, names ...string) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "main")
	if err := os.WriteFile(source, []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", binary, source)
	cmd.Env = append(os.Environ(), "GOFLAGS=") // without -race
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	code := make(map[string][]byte)
	for _, s := range symbols {
		if !slices.Contains(names, s.Name) {
			continue
		}
		section := f.Sections[s.Section]
		text := make([]byte, s.Size)
		if _, err := section.ReadAt(text, int64(s.Value-section.Addr)); err != nil {
			t.Fatal(err)
		}
		code[s.Name] = text
	}
	for _, name := range names {
		if code[name] == nil {
			t.Fatalf("the program has no %s", name)
		}
	}
	return code
}

// A check that passes takes no lock, calls nothing, and needs at most four instructions over the
// load of the word.
func TestCheckCode(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("for amd64")
	}
	const method = "pdac/kernel/cap.(*Table)."
	code := compiled(t, checker, "main.bare", "main.branch", "main.asked", "main.full", "main.swaps", "main.adds", "main.calls",
		method+"Check", method+"Lookup", method+"Admit")
	through := func(name string) []way {
		all, err := ways(code[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return all
	}
	for _, name := range []string{"main.bare", "main.branch", "main.asked", "main.full", method + "Check", method + "Lookup", method + "Admit"} {
		all := through(name)
		if len(all) == 0 {
			t.Errorf("%s: calls something whatever it finds", name)
		}
		for _, w := range all {
			if i := w.locked(); i != nil {
				t.Errorf("%s: %v", name, i)
			}
		}
	}
	for _, name := range []string{"main.bare", "main.asked"} {
		longest := slices.MaxFunc(through(name), func(a, b way) int { return len(a) - len(b) })
		if n := longest.overLoad(); n < 1 || n > 4 {
			t.Errorf("%s: %d instructions over the load: %v", name, n, longest)
		} else {
			t.Logf("%s: %d instructions, %d of them over the load", name, len(longest), n)
		}
	}

	// It can fail.
	for _, name := range []string{"main.swaps", "main.adds"} {
		if all := through(name); len(all) != 1 || all[0].locked() == nil {
			t.Errorf("%s: no lock found in %v", name, all)
		}
	}
	if all := through("main.calls"); len(all) != 0 {
		t.Errorf("main.calls: no call found on %v", all)
	}
}

package kernel

import (
	"runtime"
	_ "unsafe" // go:linkname

	"pdac/kernel/crash"
)

// The crash dump of a panic is printed when the runtime lives no more: it has
// frozen the world and forbidden itself to allocate (runtime.startpanic_m), and a
// disassembler allocates. The last code of others that it runs, just before, is
// the Error method of the panic's value (runtime.preprintpanics). So the errors
// that it panics with for a fault get one that leaves the instruction to the dump.
//
// Rejected: that the thread decodes from within its exit_group, where the runtime
// is frozen, its locks perhaps held; and to decode at every fault, since programs
// recover from most.

// faultError stands in for err, of which it has the text.
type faultError struct{ err runtime.Error }

// describe makes *p, a variable of the runtime, an error that also tells the crash
// dump of the instruction. nil stays.
func describe(p *error) {
	if e, ok := (*p).(runtime.Error); ok {
		if _, done := e.(*faultError); !done {
			*p = &faultError{e}
		}
	}
}

// divideError is what the runtime panics with for a division by zero.
//
//go:linkname divideError runtime.divideError
var divideError error

// RuntimeError makes it a [runtime.Error].
func (*faultError) RuntimeError() {}

// maxCalls is how many calls the instruction is looked for behind, innermost
// first: panics in deferred functions may lie between.
const maxCalls = 64

func (e *faultError) Error() string {
	var pcs [maxCalls]uintptr
	if pc := fatalPC(pcs[:runtime.Callers(2, pcs[:])]); pc != 0 {
		note(pc)
	}
	return e.err.Error()
}

// fatalPC returns the address of the instruction whose fault led to these calls
// of an Error method, or 0 if it isn't the runtime that makes them, on its way to
// end the program: a program may print what it recovered. Where code jumped to
// nowhere it returns an address in the caller.
func fatalPC(pcs []uintptr) uint64 {
	frames := runtime.CallersFrames(pcs)
	f, more := frames.Next()
	if f.Function != "runtime.preprintpanics" {
		return 0
	}
	for more {
		called := f.Function
		if f, more = frames.Next(); called == "runtime.sigpanic" {
			return uint64(f.PC)
		}
	}
	return 0
}

// note leaves the instruction at pc to the dump. A disassembler that panics must
// not take the place of the panic that is to be told of.
func note(pc uint64) {
	defer func() { _ = recover() }()
	crash.Note(pc, instruction(pc))
}

package kernel

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

var sink int

//go:noinline
func load(p *int) { sink = *p }

//go:noinline
func divide(a, b int) { sink = a / b }

// catch returns what f panics with.
func catch(f func()) (r any) {
	defer func() { r = recover() }()
	f()
	return nil
}

// loadNil faults, and panics with a faultError: the host's linker keeps the one
// that would do so by itself away.
func loadNil() {
	defer func() {
		e := recover().(error)
		describe(&e)
		panic(e)
	}()
	load(nil)
}

// deaths are the ways in which the test's own process ends, as a child.
var deaths = map[string]func(){
	"fault": loadNil,
	"fault while panicking": func() {
		defer loadNil()
		panic("first")
	},
	"panic while a fault panics": func() {
		defer func() { panic("second") }()
		loadNil()
	},
	"fault of the disassembler": func() {
		OfferDisassembler(func(uint64, []byte) string { load(nil); return "" })
		loadNil()
	},
	"recovered": func() {
		_ = fmt.Sprint(catch(loadNil))
		panic("another")
	},
	"division": func() { divide(1, 0) },
}

const deathVar = "PDAC_TEST_DEATH"

// die ends the process, with a disassembler that tells of what it was asked.
func die(death string) {
	OfferDisassembler(func(pc uint64, code []byte) string {
		fmt.Fprintf(os.Stderr, "asked for %d bytes of %s\n", len(code), runtime.FuncForPC(uintptr(pc)).Name())
		return "NOPL"
	})
	deaths[death]()
}

func TestFaultErrorOfDyingProgram(t *testing.T) {
	if death := os.Getenv(deathVar); death != "" {
		die(death)
	}
	const (
		asked  = "asked for 15 bytes of pdac/kernel.load\n"
		memory = "panic: runtime error: invalid memory address or nil pointer dereference"
	)
	for _, c := range []struct {
		death string
		asks  bool
		want  []string
	}{
		{"fault", true, []string{memory, "signal SIGSEGV"}},
		{"fault while panicking", true, []string{"panic: first", memory}},
		{"panic while a fault panics", true, []string{memory, "panic: second"}},
		{"fault of the disassembler", false, []string{memory}},
		{"recovered", false, []string{"panic: another"}},
		{"division", false, []string{"panic: runtime error: integer divide by zero"}},
	} {
		t.Run(c.death, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^"+"TestFaultErrorOfDyingProgram"+"$")
			child.Env = append(os.Environ(), deathVar+"="+c.death)
			b, err := child.CombinedOutput()
			out := string(b)
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Errorf("the child's end: %v, want status 2", err)
			}
			if got := strings.Contains(out, asked); got != c.asks || strings.Contains(out, "asked") != c.asks {
				t.Errorf("the disassembler was asked: %v, want %v", got, c.asks)
			}
			for _, want := range append(c.want, "goroutine ") {
				if !strings.Contains(out, want) {
					t.Errorf("the child did not print %q", want)
				}
			}
			if strings.Contains(out, "while printing") {
				t.Error("the error failed")
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// What a program recovers is like the runtime's own.
func TestFaultErrorRecovered(t *testing.T) {
	plain := catch(func() { load(nil) }).(error)
	e := plain
	describe(&e)
	if _, ok := e.(runtime.Error); !ok || e == plain || e.Error() != plain.Error() {
		t.Errorf("%T %v stands in for %T %v", e, e, plain, plain)
	}
	again := e
	if describe(&again); again != e {
		t.Error("described twice")
	}
	var none error
	if describe(&none); none != nil {
		t.Error("nil is described")
	}
}

func TestDivisionErrorIsReplaced(t *testing.T) {
	old := divideError
	defer func() { divideError = old }()
	describe(&divideError)
	if e, ok := catch(func() { divide(1, 0) }).(*faultError); !ok || e.err != old {
		t.Errorf("a division by zero panics with %T", e)
	}
}

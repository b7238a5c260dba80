package boot

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The dump of a panic that nobody recovered shows the instruction, which the
// panic's own goroutine disassembled; that of a runtime which gave up shows bytes.
// All end, with the runtime's exit code.
func TestDying(t *testing.T) {
	Need(t)
	const load = `MOVQ 0\(AX\), AX`
	for _, c := range []struct {
		death string
		args  string
		cpus  []int
		code  string // the instruction, or "" for bytes only
		want  []string
	}{
		{"nil", "", []int{1, 4}, load, []string{"panic: runtime error: invalid memory address"}},
		{"nil", " bytes", []int{1}, "", []string{"panic: runtime error: invalid memory address"}},
		{"divide", "", []int{1}, "DIVQ CX", []string{"panic: runtime error: integer divide by zero", "vector 0 #DE"}},
		{"among-others", "", []int{1, 4}, load, []string{"panic: runtime error: invalid memory address"}},
		{"nil-while-panicking", "", []int{2}, load, []string{"panic: first", "panic: runtime error: invalid memory address"}},
		{"panic-after-nil", "", []int{2}, load, []string{"panic: runtime error: invalid memory address", "panic: second"}},
		{"nil-again", "", []int{2}, load, []string{"[recovered, repanicked]"}},
		{"stack-moved", "", []int{2}, load, []string{"panic: runtime error: invalid memory address"}},
		{"wild", "", []int{1, 2}, "", []string{"fatal error: fault"}},
		{"in-malloc", "", []int{1, 2}, "", []string{"fatal error: unexpected signal during runtime execution", "runtime.mallocgc"}},
	} {
		for _, cpus := range c.cpus {
			t.Run(c.death+c.args+"/"+strconv.Itoa(cpus), func(t *testing.T) {
				r := dying(t, cpus, c.death+c.args)
				r.Want(t, 2, c.want...)
				dump := dumpOf(t, r)
				got := instructionLine.FindStringSubmatch(dump)
				switch {
				case c.code == "" && got != nil:
					t.Errorf("instruction %q, want none", got[1])
				case c.code != "" && got == nil:
					t.Error("the dump lacks the instruction")
				case c.code != "" && !regexp.MustCompile("^"+c.code+"$").MatchString(got[1]):
					t.Errorf("instruction %q, want %s", got[1], c.code)
				}
				if c.code == load && !loadFrames.MatchString(dump) {
					t.Error("the stack does not lead from main.load to its caller")
				}
				if root := Root(t) + "/"; strings.Contains(dump, root) || c.code == load && !strings.Contains(dump, " pdac/test/images/dying/") {
					t.Error("the dump does not name files by package")
				}
				if t.Failed() {
					t.Log(dump)
				}
			})
		}
	}
}

// Ends whose dump depends on who is first, or on an address without code, must be
// ends nevertheless.
func TestDyingEnds(t *testing.T) {
	Need(t)
	for _, death := range []string{"all-at-once", "jump-to-nil"} {
		t.Run(death, func(t *testing.T) {
			r := dying(t, 4, death)
			r.Want(t, 2, "panic: runtime error: invalid memory address")
			dumpOf(t, r)
		})
	}
}

func dying(t *testing.T, cpus int, args string) Result {
	return Boot(t, Options{Image: "./test/images/dying", CPUs: cpus, Mem: "256M", Append: "console=off -- " + args, Timeout: time.Minute})
}

var loadFrames = regexp.MustCompile(`\nstack:\n  #0 .* main\.load\+0x.*\n  #1 .* (main|runtime)\.`)

var instructionLine = regexp.MustCompile(`(?m)^code: .*\ninstruction: (.*)$`)

// dumpOf returns the crash dump, which must be one and complete.
func dumpOf(t *testing.T, r Result) string {
	t.Helper()
	_, dump, ok := strings.Cut(r.Output, "*** PDAC crash: ")
	dump, _, complete := strings.Cut(dump, "*** end of dump ***")
	if !ok || !complete || strings.Contains(dump, "PDAC crash") {
		t.Fatalf("the dump is not complete:\n%s", dump)
	}
	return dump
}

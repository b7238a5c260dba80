package crash

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unsafe"

	"pdac/kernel/klog"
)

// machine makes the top of the test's own stack and the first page of text readable and nothing else, and catches the line.
func machine(t *testing.T, r *Regs) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	_, _, text := tables()
	Readable = func(va uint64) bool {
		return va >= r.RSP && va < r.RSP+1024 || va >= uint64(text) && va < uint64(text)+4096 || va >= r.RIP-64 && va < r.RIP+64
	}
	klog.Out = func(c byte) { b.WriteByte(c) }
	klog.Now = func() uint64 { return 12_034_567_000 }
	Peers = 4
	Peer = func(cpu int) PeerState {
		return [4]PeerState{{}, {Online: true, Idle: true}, {Online: true, Task: 9, RIP: r.RIP, RSP: 0x1000}, {}}[cpu]
	}
	dumping.Store(0)
	t.Cleanup(func() {
		Readable, Peer, Peers, klog.Out, klog.Now = nil, nil, 0, nil, nil
		dumping.Store(0)
	})
	return &b
}

//go:noinline
func inner(r *Regs, f func()) { Capture(r); f() }

//go:noinline
func outer(r *Regs, f func()) { inner(r, f); r.RAX = 1 }

func TestDump(t *testing.T) {
	var r Regs
	out := machine(t, &r)
	forget(t)
	outer(&r, func() {
		Note(r.RIP, "MOVQ AX,\n0x18(CX)")
		i := Info{Reason: "te\nst", CPU: 0, Task: 7, Trap: true, Vector: 14, Code: 2, Regs: r, CR0: 0x80010033, CR2: 0x18,
			ProgramRIP: r.RIP, ProgramRSP: r.RSP, ProgramRBP: r.RBP}
		if v := Dump(&i); v != PowerOff {
			t.Errorf("verdict %v", v)
		}
	})
	s := out.String()
	if strings.Contains(strings.ReplaceAll(s, "\r\n", ""), "\n") {
		t.Error("a line feed without a carriage return")
	}
	s = strings.ReplaceAll(s, "\r", "")
	want := `^\n*\*\*\* PDAC crash: te\?st \*\*\*
CPU 0, task 7, 12\.034567 s after boot
vector 14 #PF, error code 0x2: write to an unmapped page at 0x0000000000000018
RIP 0x[0-9a-f]{16} RSP 0x[0-9a-f]{16} RBP 0x[0-9a-f]{16}
RAX 0x0000000000000000 RBX .*
(?:R.*\n){4}FS  0x0{16} GS  0x0{16} CR0 0x0000000080010033
CR2 0x0000000000000018 CR3 .* CR4 .*
code:( [0-9a-f]{2}){12} <[0-9a-f]{2}>( [0-9a-f]{2}){11}
instruction: MOVQ AX,\?0x18\(CX\)
stack:
  #0  0x[0-9a-f]{16} pdac/kernel/crash.inner\+0x[0-9a-f]+ .*/dump_test.go:\d+
  #1  0x[0-9a-f]{16} pdac/kernel/crash.outer\+0x[0-9a-f]+ .*/dump_test.go:\d+
  #2  0x[0-9a-f]{16} pdac/kernel/crash.TestDump\+0x[0-9a-f]+ .*/dump_test.go:\d+
  #3  0x[0-9a-f]{16} testing.tRunner\+(?s:.*)
program:
  #0  0x[0-9a-f]{16} pdac/kernel/crash.inner(?s:.*)
CPU 1: idle
CPU 2: task 9, RIP 0x[0-9a-f]{16} RSP 0x0000000000001000 pdac/kernel/crash.inner.*
CPU 3: offline
\*\*\* end of dump \*\*\*
$`
	if !regexp.MustCompile(want).MatchString(s) {
		t.Errorf("the dump is not of the form %s:\n%s", want, s)
	}
	if testing.Verbose() {
		t.Log(s)
	}
}

func TestDumpWithWildRegisters(t *testing.T) {
	var r Regs
	out := machine(t, &r)
	Capture(&r)
	for _, v := range []uint64{0, 1, 7, 8, r.RSP + 1, 1 << 47, 0xffff800000000000, ^uint64(0), ^uint64(0) - 7, ^uint64(0) - 8} {
		i := Info{Reason: "wild", Regs: Regs{RIP: v, RSP: v, RBP: v}, ProgramRIP: v, ProgramRSP: ^v, ProgramRBP: v &^ 7}
		dumping.Store(0)
		Dump(&i)
	}
	if n := strings.Count(out.String(), "*** end of dump ***"); n != 10 {
		t.Errorf("%d of 10 dumps came to their end", n)
	}
}

// TestStackJumpToNil finds who called through a nil pointer, though no frame says so.
func TestStackJumpToNil(t *testing.T) {
	var r Regs
	out := machine(t, &r)
	Capture(&r)
	stack[0] = r.RIP
	r.RSP = addressOf(&stack[0])
	putStack(mustSymbols(t), 0, r.RSP, 0)
	if !strings.Contains(out.String(), "#1  ") || !strings.Contains(out.String(), "TestStackJumpToNil+") {
		t.Errorf("got\n%s", out)
	}
}

// TestStackCycle walks a chain that leads back to itself, and one that runs on and on.
func TestStackCycle(t *testing.T) {
	var r Regs
	out := machine(t, &r)
	Capture(&r)
	r.RSP = addressOf(&stack[0])
	stack[0], stack[1] = r.RSP, r.RIP
	putStack(mustSymbols(t), 0, 0, r.RSP)
	if n := strings.Count(out.String(), "#"); n != 2 {
		t.Errorf("%d frames of a cycle\n%s", n, out)
	}
	out.Reset()
	for i := 0; i < len(stack); i += 2 {
		stack[i], stack[i+1] = addressOf(&stack[0])+uint64(8*i+16), r.RIP
	}
	putStack(mustSymbols(t), 0, 0, r.RSP)
	if n := strings.Count(out.String(), "#"); n != maxFrames || !strings.HasSuffix(out.String(), "... more\r\n") {
		t.Errorf("%d frames of a long chain\n%s", n, out)
	}
}

func TestDumpAgain(t *testing.T) {
	var r Regs
	out := machine(t, &r)
	first := Readable
	Capture(&r)
	again, reentered := Info{Reason: "second", CPU: 3, CR2: 5}, 0
	Readable = func(va uint64) bool {
		if reentered++; reentered <= 2 {
			at := out.Len()
			if v := Dump(&again); v != PowerOff {
				t.Errorf("verdict %v on the CPU that dumps", v)
			}
			line := out.String()[at:]
			if want := 3 - reentered; strings.Count(strings.TrimSpace(line), "crash in the crash dump: second") != want-1 {
				t.Errorf("crash %d in the dump: %q", reentered, line)
			}
			if v := Dump(&Info{Reason: "other", CPU: 1}); v != Halt {
				t.Errorf("verdict %v on another CPU", v)
			}
		}
		return first(va)
	}
	Dump(&Info{Reason: "first", CPU: 3, Regs: r})
	if v := Dump(&again); v != Halt {
		t.Errorf("verdict %v when powering off crashes", v)
	}
	if s := out.String(); strings.Contains(s, "other") || !strings.Contains(s, "end of dump") {
		t.Errorf("got\n%s", s)
	}
}

func TestDumpAllocatesNothing(t *testing.T) {
	var r Regs
	machine(t, &r)
	klog.Out = func(byte) {}
	Capture(&r)
	i := Info{Reason: "x", Regs: r, ProgramRIP: r.RIP, ProgramRSP: r.RSP, ProgramRBP: r.RBP}
	if n := testing.AllocsPerRun(10, func() { dumping.Store(0); Dump(&i) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPutName(t *testing.T) {
	var b bytes.Buffer
	klog.Out = func(c byte) { b.WriteByte(c) }
	defer func() { klog.Out = nil }()
	for in, want := range map[string]string{"a.f": "a.f", "a.f[go.shape.int].func1": "a.f[...].func1", "a[b": "a[b", "\x1b[2J": "?[2J", "a]b[": "a]b[", "": "", "a[b]": "a[...]", "[": "[", "]": "]"} {
		b.Reset()
		if putName([]byte(in)); b.String() != want {
			t.Errorf("%q: %q, want %q", in, &b, want)
		}
	}
}

func mustSymbols(t *testing.T) *Table {
	tab, ok := Symbols()
	if !ok {
		t.Fatal("no symbols")
	}
	return &tab
}

// stack is a made-up one, which doesn't move as a goroutine's does.
var stack [100]uint64

func addressOf(p *uint64) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pdac/cmd/internal/stdlib"
)

// check looks at a program in testdata/trust as a build does.
func check(t *testing.T, program string, replace replacements) error {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("testdata/trust", program))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := stdlib.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	if err := tree.Overlay(overlay, replace); err != nil {
		t.Fatal(err)
	}
	return builder{replace: replace}.checkProgram(dir, overlay)
}

// wantError checks that err has each of these texts.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error lacks %q:\n%v", text, err)
		}
	}
}

func TestSafeProgramNeedsNoTrust(t *testing.T) {
	if err := check(t, "safe", nil); err != nil {
		t.Error(err)
	}
}

func TestProgramWithoutBoard(t *testing.T) {
	wantError(t, check(t, "boardless", nil), `does not import "pdac/board/qemu-amd64"`)
}

func TestReachOfALibrary(t *testing.T) {
	const lib = "pdac/cmd/kbuild/testdata/trust/lib"
	err := check(t, "deep", nil)
	wantError(t, err, lib+":\n\t", filepath.FromSlash("trust/lib/lib.go:4: imports unsafe\n"), filepath.FromSlash("trust/deep/TRUST:\n"+lib))
	if strings.Contains(err.Error(), "pdac/cmd/kbuild/testdata/trust/deep:") {
		t.Errorf("the program itself is refused:\n%v", err)
	}
	if err := check(t, "deep-trusted", nil); err != nil {
		t.Errorf("a trusted library is refused: %v", err)
	}
}

func TestEveryWayToReach(t *testing.T) {
	err := check(t, "ways", nil)
	wantError(t, err,
		"pdac/cmd/kbuild/testdata/trust/ways:\n",
		"\tmain.go:9: imports unsafe\n",
		"\tmain.go:11: imports pdac/asm, ",
		"\tmain.go:12: imports pdac/board/qemu-amd64, ",
		"\tmain.go:13: imports pdac/kernel/linux, ",
		"\tmain.go:16: has //go:linkname\n",
		"\tmain.go:20: uses sys.RawSyscall\n",
		"\tmain.go:22: uses sys.AllThreadsSyscall\n",
		"\tmain.go:25: uses a method UnsafePointer, ",
		"\tmain.go:26: uses atomic.LoadPointer\n",
		"\tmain.go:27: uses reflect.NewAt\n",
		"\tmain.go:28: uses runtime.SetCgoTraceback\n",
		"\tmain.go:29: uses sys.Madvise\n",
		"\tmain.go:30: uses sys.Mprotect\n",
		"\tmain.go:31: uses sys.Munmap\n",
		"\tmain.go:38: has //go:nosplit\n",
		"\tdot.go:4: imports syscall by a dot",
		"\tways_amd64.s: is assembly\n")
	wantError(t, check(t, "tamago", nil),
		"\tmain.go:5: imports github.com/usbarmory/tamago/soc/intel/uart, ",
		"\tmain.go:6: imports golang.org/x/sys/unix, ")
}

// TestTrustIsTold: the build tells whom it trusts, and which lines are idle.
func TestTrustIsTold(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lib.go")
	for name, text := range map[string]string{file: "package lib\n\nimport _ \"unsafe\"\n", filepath.Join(dir, trustFile): "a.org/lib\na.org/gone\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := checkTrust(dir, []listed{{ImportPath: "a.org/lib", Dir: dir, GoFiles: []string{"lib.go"}}}, nil, &out); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"around the gate: a.org/lib\n", `TRUST:2: no package needs "a.org/gone"`} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the build does not tell %q:\n%s", text, &out)
		}
	}
}

// TestReplacedFileIsWhatCounts gives a safe program another text.
func TestReplacedFileIsWhatCounts(t *testing.T) {
	target, err := filepath.Abs("testdata/trust/safe/main.go")
	if err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(text, []byte("package main\n\nimport (\n\t_ \"pdac/board/qemu-amd64\"\n\t_ \"unsafe\"\n)\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantError(t, check(t, "safe", replacements{target: text}), "\tmain.go:5: imports unsafe\n")
}

func TestReadTrust(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, trustFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := readTrust(dir); err != nil || len(list) != 0 {
		t.Errorf("without a file: %v, %v", list, err)
	}
	write("# all of it\n\n  a.org/x/... # why\nb\n")
	list, err := readTrust(dir)
	if err != nil || len(list) != 2 || list[0].pattern != "a.org/x/..." || list[0].number != 3 || list[1].pattern != "b" || list[1].number != 4 {
		t.Errorf("list %v, %v", list, err)
	}
	write("a\nb c\n")
	if _, err := readTrust(dir); err == nil || !strings.Contains(err.Error(), "TRUST:2: 2 words") {
		t.Errorf("two words in a line: %v", err)
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"a.org/x", "a.org/x", true},
		{"a.org/x", "a.org/x/y", false},
		{"a.org/x", "axorg/x", false},
		{"a.org/x/...", "a.org/x", true},
		{"a.org/x/...", "a.org/x/y/z", true},
		{"a.org/x/...", "a.org/xy", false},
		{"a.org/x...", "a.org/xy/z", true},
		{"a.org/.../z", "a.org/x/y/z", true},
		{"a.org/.../z", "a.org/x/y", false},
		{"...", "anything/at/all", true},
	} {
		if got := pattern(c.pattern).MatchString(c.path); got != c.want {
			t.Errorf("%s matches %s: %v, want %v", c.pattern, c.path, got, c.want)
		}
	}
}

// TestOnlyTheBaseIsLeftOut: who calls his package as one of the kernel's is looked
// at all the same, and what the kernel depends on is not.
func TestOnlyTheBaseIsLeftOut(t *testing.T) {
	module := func(path, module string, deps ...string) listed {
		p := listed{ImportPath: path, Deps: deps}
		p.Module.Path = module
		return p
	}
	replaced := func(p listed) listed {
		p.Module.Replace = &struct{ Path string }{"../elsewhere"}
		return p
	}
	got := programs([]listed{
		{ImportPath: "unsafe", Standard: true},
		module("golang.org/x/term", "golang.org/x/term"),
		module("pdac/kernel/console", "pdac", "golang.org/x/term", "golang.org/x/sys/unix"),
		replaced(module("golang.org/x/sys/unix", "golang.org/x/sys")),
		replaced(module("pdac/kernel/vm", "pdac")),
		module("pdac/kernel/evil", "pdac/kernel/evil"),
		module("pdac/workload", "pdac"),
		module("pdac/kernels", "pdac"),
		module(tamago+"/dma", tamago),
		module("a.org/app", "a.org/app", "golang.org/x/term", "b.org/lib"),
		module("b.org/lib", "b.org/lib"),
	})
	var paths []string
	for _, p := range got {
		paths = append(paths, p.ImportPath)
	}
	if want := "golang.org/x/sys/unix pdac/kernel/evil pdac/workload pdac/kernels a.org/app b.org/lib"; strings.Join(paths, " ") != want {
		t.Errorf("looked at %v, want %s", paths, want)
	}
}

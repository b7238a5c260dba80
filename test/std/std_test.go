package main

import (
	"go/ast"
	gobuild "go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	const head = "[    0.000000] 0 info  pdac: 2 CPUs\npdac> "
	for _, c := range []struct {
		name, console string
		status        int
		want          tally
		verdict, says string
	}{
		{"passed", head + "^=== RUN   TestA\nnoise^--- PASS: TestA (0.00s)\n^=== NAME\n^PASS\n\nPDAC-EXIT 0\n", 0, tally{passed: 1}, "ok", ""},
		{"subtests", "^=== RUN   TestA\n^=== RUN   TestA/x\n^--- PASS: TestA/x (0.00s)\n^=== RUN   TestA/y\n    why\n^--- SKIP: TestA/y (0.00s)\n^--- PASS: TestA (0.00s)\n^PASS\n",
			0, tally{passed: 2, skipped: 1}, "ok", ""},
		{"failed", "^=== RUN   TestA\n    a.go:1: quiet\n^--- PASS: TestA (0.00s)\n^=== RUN   TestB\n    b.go:2: loud\n^--- FAIL: TestB (0.00s)\n^FAIL\n",
			1, tally{passed: 1, failed: 1}, "FAIL", "    b.go:2: loud\n--- FAIL: TestB (0.00s)\n"},
		{"parallel", "^=== RUN   TestA\n^=== PAUSE TestA\n^=== RUN   TestB\n    b\n^=== CONT  TestA\n    a\n^=== NAME  TestB\n    c\n^--- FAIL: TestB (0.00s)\n^--- PASS: TestA (0.00s)\n^FAIL\n",
			1, tally{passed: 1, failed: 1}, "FAIL", "    b\n    c\n--- FAIL: TestB (0.00s)\n"},
		{"a test's own words", "^=== RUN   TestA\n--- FAIL: TestA (0.00s)\nFAIL\n^--- PASS: TestA (0.00s)\n^PASS\n", 0, tally{passed: 1}, "ok", ""},
		{"died", "^=== RUN   TestA\n^--- PASS: TestA (0.00s)\n^=== RUN   TestB\npanic: ouch\n", 2, tally{passed: 1, failed: 1}, "FAIL", "panic: ouch"},
		{"died at the end", "^=== RUN   TestA\n^--- PASS: TestA (0.00s)\n^PASS\n", 125, tally{passed: 1, failed: 1}, "FAIL", ""},
		{"nothing", "", 124, tally{failed: 1}, "FAIL", ""},
		{"no test at all", "testing: warning: no tests to run\n^PASS\n", 0, tally{}, "ok", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(strings.ReplaceAll(c.console, "^", marker), c.status)
			if r.tally != c.want || r.verdict != c.verdict || !strings.Contains(r.said, c.says) || c.says == "" && c.verdict == "ok" && r.said != "" {
				t.Errorf("%+v, want %+v, %s, saying %q", r, c.want, c.verdict, c.says)
			}
			if strings.Contains(r.said, "quiet") {
				t.Errorf("a test that passed is quoted: %q", r.said)
			}
		})
	}
}

func TestPattern(t *testing.T) {
	names := []string{"TestA", "TestB/x.y/z", "TestC"}
	if got, want := pattern(names), `^TestB$/^x\.y$/^z$|^(TestA|TestC)$`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestQuoted(t *testing.T) {
	if got, want := quoted(`a\.b "c`), `"a\\.b \"c"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCommandLinesFit(t *testing.T) {
	for path := range skips {
		if n := len(commandLine(path, machine{})); n > maxLine {
			t.Errorf("%s: a command line of %d bytes, at most %d", path, n, maxLine)
		}
	}
}

// TestSkipsExist finds each test that is skipped in the package's sources.
func TestSkipsExist(t *testing.T) {
	src := filepath.Join(gobuild.Default.GOROOT, "src")
	for path := range skips {
		functions := make(map[string]bool)
		match := func(fi fs.FileInfo) bool { return strings.HasSuffix(fi.Name(), "_test.go") }
		pkgs, err := parser.ParseDir(token.NewFileSet(), filepath.Join(src, path), match, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pkgs {
			for _, f := range p.Files {
				for _, d := range f.Decls {
					if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil {
						functions[d.Name.Name] = true
					}
				}
			}
		}
		names := skipped(path)
		for i, name := range names {
			top, _, _ := strings.Cut(name, "/")
			if !functions[top] {
				t.Errorf("%s has no %s", path, top)
			}
			if slices.Contains(names[:i], name) {
				t.Errorf("%s: %s is named twice", path, name)
			}
		}
		if _, err := regexp.Compile(pattern(names)); err != nil {
			t.Error(err)
		}
	}
}

func TestList(t *testing.T) {
	pkgs, err := list([]string{"unicode/...", "crypto/internal/entropy"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range pkgs {
		got = append(got, p.ImportPath)
	}
	slices.Sort(got)
	// The pattern's packages with tests, and the one that is named.
	if want := "crypto/internal/entropy unicode unicode/utf16 unicode/utf8"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, err := list([]string{"no/such/package"}); err == nil {
		t.Error("a package that is not there is accepted")
	}
}

package pvh

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build links a small program and returns its path. A copy is cheap, a link is not.
func build(t *testing.T, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	src := filepath.Join(dir, "main.go")
	if err := os.WriteFile(src, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "a.out")
	cmd := exec.Command("go", append(append([]string{"build", "-o", out}, flags...), src)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, msg)
	}
	return out
}

func TestAddNoteStockProgram(t *testing.T) {
	file := build(t)
	first, err := AddNote(file, "main.main")
	if err != nil {
		t.Fatal(err)
	}
	if first.Already {
		t.Error("a fresh file is said to have the note")
	}
	e, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	syms, err := e.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if s.Name == "main.main" && s.Value != first.Entry {
			t.Errorf("entry = %#x, want main.main at %#x", first.Entry, s.Value)
		}
	}
	for _, p := range e.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		got, err := io.ReadAll(p.Open())
		if err != nil {
			t.Fatal(err)
		}
		a := first.Entry
		want := []byte{4, 0, 0, 0, 8, 0, 0, 0, 18, 0, 0, 0, 'X', 'e', 'n', 0,
			byte(a), byte(a >> 8), byte(a >> 16), byte(a >> 24), 0, 0, 0, 0}
		if !bytes.Equal(got, want) || p.Memsz != uint64(len(want)) {
			t.Errorf("PT_NOTE = % x (memsz %d), want % x", got, p.Memsz, want)
		}
	}

	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	second, err := AddNote(file, "main.main")
	if err != nil || !second.Already || second.Entry != first.Entry {
		t.Errorf("second AddNote = %+v, %v; want Already with the same entry", second, err)
	}
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Error("the second AddNote changed the file")
	}
	if third, err := AddNote(file, "runtime.main"); err != nil || third.Already || third.Entry == first.Entry {
		t.Errorf("AddNote of another entry = %+v, %v; want the note replaced", third, err)
	}
	if msg, err := exec.Command(file).CombinedOutput(); err != nil {
		t.Errorf("the noted program no longer runs on the host: %v\n%s", err, msg)
	}
}

func TestAddNoteRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("not a program\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file, entry, want string
	}{
		{"missing", filepath.Join(t.TempDir(), "none"), "main.main", "no such file"},
		{"text file", text, "main.main", "not an ELF file"},
		{"no symbol", build(t), "pdac/board/none.Entry", "no symbol pdac/board/none.Entry"},
		{"data symbol", build(t), "runtime.mheap_", "not code"},
		{"stripped", build(t, "-ldflags=-s"), "main.main", "no symbol table"},
		{"moved text", build(t, "-ldflags=-T 0x801000"), "main.main", "text is not at"},
		{"pie", build(t, "-buildmode=pie"), "main.main", "want ET_EXEC"},
		{"no note", build(t, "-ldflags=-buildid= -B none"), "main.main", "no PT_NOTE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := AddNote(c.file, c.entry)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %v, want one line with %q", err, c.want)
			}
		})
	}
}

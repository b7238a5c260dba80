package stdlib

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEditsFitThisGo fails with a Go whose runtime has changed where the edits are.
func TestEditsFitThisGo(t *testing.T) {
	tree := find(t)
	texts, err := tree.edited(edits)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		b, err := os.ReadFile(filepath.Join(tree.GOROOT, "src", name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(b), "\n") != strings.Count(text, "\n") {
			t.Errorf("%s: an edit moves the lines", name)
		}
	}
}

func TestEditOfAnotherText(t *testing.T) {
	tree := Tree{GOROOT: t.TempDir()}
	write := func(name, text string) {
		file := filepath.Join(tree.GOROOT, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("VERSION", "go9.9\ntime 2030-01-01T00:00:00Z\n")
	want := []edit{{"p/a.go", "x = y", "x, a = y, b"}, {"p/a.go", "z = nil", "z, a = nil, 0"}}

	write("src/p/a.go", "x = y\nz = nil\n")
	if texts, err := tree.edited(want); err != nil || texts["p/a.go"] != "x, a = y, b\nz, a = nil, 0\n" {
		t.Errorf("edited = %q, %v", texts, err)
	}
	for _, text := range []string{"x = y\n", "x = y\nz = nil\nx = y\n"} {
		write("src/p/a.go", text)
		if _, err := tree.edited(want); err == nil || !strings.HasPrefix(err.Error(), "go9.9 is not supported: its p/a.go has ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error = %v, want one line that names the version and the file", text, err)
		}
	}
}

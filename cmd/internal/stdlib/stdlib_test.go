package stdlib

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func find(t *testing.T) Tree {
	t.Helper()
	tree, err := Find(".")
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestFindOutsideAModuleOfPDAC(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module alone\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(dir); err == nil || !strings.Contains(err.Error(), "must require pdac") {
		t.Errorf("error = %v, want what to do", err)
	}
}

func TestOverlayAddsAndReplaces(t *testing.T) {
	tree := find(t)
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := tree.Overlay(file, map[string]string{"/a.go": "/b.go"}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(b, &overlay); err != nil {
		t.Fatal(err)
	}
	edited, err := tree.edited(edits)
	if err != nil {
		t.Fatal(err)
	}
	if len(overlay.Replace) != len(added)+len(edited)+1 || overlay.Replace["/a.go"] != "/b.go" {
		t.Errorf("overlay = %v", overlay.Replace)
	}
	delete(overlay.Replace, "/a.go")
	for name, text := range edited {
		target := filepath.Join(tree.GOROOT, "src", name)
		if b, err := os.ReadFile(overlay.Replace[target]); err != nil || string(b) != text {
			t.Errorf("the text for %s is not the edited one: %v", name, err)
		}
		delete(overlay.Replace, target)
	}
	for target, text := range overlay.Replace {
		if _, err := os.Stat(target); err == nil {
			t.Errorf("%s exists: the overlay would hide a file of stock Go", target)
		}
		if _, err := os.Stat(text); err != nil {
			t.Error(err)
		}
	}
}

// TestLink lets the go command read a linked GOROOT.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	if err := find(t).Link(dir); err != nil {
		t.Fatal(err)
	}
	list := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .GoFiles \",\"}}", "runtime/goos", "runtime", "context", "os/signal", "crypto/internal/fips140/nistec")
	list.Env = append(os.Environ(), "GOROOT="+dir)
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name := range added {
		want := filepath.Dir(name) + " "
		lines := strings.Split(string(out), "\n")
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, want) })
		if i < 0 || !strings.Contains(lines[i], filepath.Base(name)) {
			t.Errorf("%s is not in its package:\n%s", name, out)
		}
	}
	edited, err := find(t).edited(edits)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range edited {
		file := filepath.Join(dir, "src", name)
		if fi, err := os.Lstat(file); err != nil || !fi.Mode().IsRegular() {
			t.Errorf("%s is not a file of its own: %v", name, err)
		}
		if b, err := os.ReadFile(file); err != nil || string(b) != text {
			t.Errorf("%s is not edited: %v", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(added)) {
		if fi, err := os.Stat(filepath.Join(dir, "src", filepath.Dir(name))); err != nil || !fi.IsDir() {
			t.Errorf("no folder for %s: %v", name, err)
		}
	}
}

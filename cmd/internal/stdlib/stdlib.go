package stdlib

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// added maps files of GOROOT/src that do not exist in stock Go to their text
// in overlayDir. The text is not named .go, or it would be a package of ours.
var added = map[string]string{
	"runtime/goos/goos.go":   "goos.go.txt",
	"runtime/zz_tamago.go":   "runtime.go.txt",
	"os/signal/zz_tamago.go": "signal.go.txt",
}

const overlayDir = "board/qemu-amd64/overlay"

// Tree is a Go installation and the PDAC module that extends it.
type Tree struct {
	GOROOT string
	PDAC   string // folder of the module pdac
}

// Find returns the Tree that the go command uses in folder dir, which belongs
// to the module pdac or to one that requires it.
func Find(dir string) (Tree, error) {
	root, err := output(dir, "env", "GOROOT")
	if err != nil {
		return Tree{}, err
	}
	pdac, err := output(dir, "list", "-m", "-f", "{{.Dir}}", "pdac")
	if err != nil {
		return Tree{}, fmt.Errorf("%s: the module must require pdac (replace pdac => its folder): %w", dir, err)
	}
	return Tree{GOROOT: root, PDAC: pdac}, nil
}

func output(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("go %s: %s", args[0], strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

// Overlay writes the file for the go command's -overlay flag. Replace adds to
// it or overrides it: absolute path of a source file -> file with its text.
func (t Tree) Overlay(file string, replace map[string]string) error {
	all := make(map[string]string)
	for name, text := range added {
		all[filepath.Join(t.GOROOT, "src", name)] = filepath.Join(t.PDAC, overlayDir, text)
	}
	for name, text := range replace {
		all[name] = text
	}
	b, err := json.MarshalIndent(map[string]any{"Replace": all}, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// Link makes dir, an empty folder, a GOROOT of links into the installed one
// with the added files among them: go vet takes no overlay that adds a folder.
// Only the folders on the way to those files are folders; the rest is linked
// whole, since go:embed wants regular files.
func (t Tree) Link(dir string) error {
	real := make(map[string]bool)
	for name := range added {
		for d := filepath.Join("src", filepath.Dir(name)); d != "."; d = filepath.Dir(d) {
			real[d] = true
		}
	}
	if err := linkInto(t.GOROOT, dir, ".", real); err != nil {
		return err
	}
	for name, text := range added {
		to := filepath.Join(dir, "src", name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join(t.PDAC, overlayDir, text), to); err != nil {
			return err
		}
	}
	return nil
}

func linkInto(from, to, rel string, real map[string]bool) error {
	if err := os.MkdirAll(filepath.Join(to, rel), 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(from, rel))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(rel, e.Name())
		if real[name] {
			err = linkInto(from, to, name, real)
		} else {
			err = os.Symlink(filepath.Join(from, name), filepath.Join(to, name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

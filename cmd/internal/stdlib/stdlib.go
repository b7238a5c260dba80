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
	"runtime/zz_space.go":    "space.go.txt",
	"context/zz_space.go":    "context.go.txt",
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

// Overlay writes the file for the go command's -overlay flag, and beside it the
// texts that are made for it. Replace adds to it or overrides it: absolute path of
// a source file -> file with its text.
func (t Tree) Overlay(file string, replace map[string]string) error {
	all := make(map[string]string)
	texts, err := t.edited(edits)
	if err != nil {
		return err
	}
	for name, text := range texts {
		to := filepath.Join(filepath.Dir(file), strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			return err
		}
		all[filepath.Join(t.GOROOT, "src", name)] = to
	}
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
// with the added and edited files among them: go vet takes no overlay that adds a
// folder. Only the folders on the way to those files are folders; the rest is linked
// whole, since go:embed wants regular files.
func (t Tree) Link(dir string) error {
	texts, err := t.edited(edits)
	if err != nil {
		return err
	}
	own := make(map[string]bool) // not links
	for name := range added {
		for d := filepath.Join("src", filepath.Dir(name)); d != "."; d = filepath.Dir(d) {
			own[d] = true
		}
	}
	for name := range texts { // an added file has made their folder one of ours
		own[filepath.Join("src", name)] = true
	}
	if err := linkInto(t.GOROOT, dir, ".", own); err != nil {
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
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, "src", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// linkInto links what is in folder rel, but makes folders of those in own and
// leaves its files out.
func linkInto(from, to, rel string, own map[string]bool) error {
	if err := os.MkdirAll(filepath.Join(to, rel), 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(from, rel))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(rel, e.Name())
		switch {
		case !own[name]:
			err = os.Symlink(filepath.Join(from, name), filepath.Join(to, name))
		case e.IsDir():
			err = linkInto(from, to, name, own)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

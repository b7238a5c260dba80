// Kbuild builds a Go program that imports the board into a kernel image: stock
// go build with the board's entry and tag, the overlay for TamaGo, and the PVH
// note. It runs on the host, for programs of this module and of others that
// require it.
//
//	kbuild [-o FILE] [-archive FILE] [-replace TARGET=FILE]... [FOLDER]
//	kbuild -test [-o FILE] [-archive FILE] [-replace TARGET=FILE]... PACKAGE
//	kbuild -vet [PACKAGE...]
//
// The first form builds the program in FOLDER (default "."). The second builds
// the tests of a package, standard library included, as an image. The third
// vets the files that only images contain. A program with packages that can reach
// around the gate must trust them (trust.go). An archive is a cpio file (see
// mkarchive) whose tree the program finds at / in the guest.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"pdac/cmd/internal/pvh"
	"pdac/cmd/internal/stdlib"
)

// The board's package, and its folder in the module pdac.
const (
	board    = "pdac/" + boardDir
	boardDir = "board/qemu-amd64"
)

func main() {
	replace := make(replacements)
	out := flag.String("o", "", "image to write (default NAME.elf of the folder or package)")
	test := flag.Bool("test", false, "build the tests of a package")
	vet := flag.Bool("vet", false, "vet packages as images see them (default ./...)")
	archive := flag.String("archive", "", "cpio `FILE` that the image carries")
	flag.Var(replace, "replace", "`TARGET=FILE`: take the text of source file TARGET from FILE")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: kbuild [-o FILE] [-archive FILE] [-replace TARGET=FILE]... [FOLDER]\n       kbuild -test [-o FILE] [-archive FILE] [-replace TARGET=FILE]... PACKAGE\n       kbuild -vet [PACKAGE...]")
		flag.PrintDefaults()
	}
	flag.Parse()

	b := builder{out: *out, archive: *archive, replace: replace}
	var err error
	switch {
	case *vet:
		err = vetPackages(flag.Args())
	case *test && flag.NArg() == 1:
		err = b.test(flag.Arg(0))
	case !*test && flag.NArg() == 0:
		err = b.program(".")
	case !*test && flag.NArg() == 1:
		err = b.program(flag.Arg(0))
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kbuild:", err)
		os.Exit(1)
	}
}

// replacements is the -replace flag: absolute target -> absolute file.
type replacements map[string]string

func (r replacements) String() string { return "" }

func (r replacements) Set(s string) error {
	target, file, ok := strings.Cut(s, "=")
	if !ok || target == "" || file == "" {
		return errors.New("want TARGET=FILE")
	}
	t, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	r[t], err = filepath.Abs(file)
	return err
}

// builder holds the flags of a build.
type builder struct {
	out, archive string
	replace      replacements
}

// program builds the program in folder dir, in that folder: it may belong to
// another module.
func (b builder) program(dir string) error {
	if fi, err := os.Stat(dir); err != nil {
		return err
	} else if !fi.IsDir() {
		return fmt.Errorf("%s is not a folder: give the folder of the program", dir)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	tree, err := stdlib.Find(dir)
	if err != nil {
		return err
	}
	if b.out == "" {
		b.out = filepath.Base(dir) + ".elf"
	}
	return b.image(tree, dir, "build", ".")
}

// test builds the tests of package pkg. They become an image by one more test
// file, which imports the board.
func (b builder) test(pkg string) error {
	tree, err := stdlib.Find(".")
	if err != nil {
		return err
	}
	list, err := exec.Command("go", "list", "-f", "{{.Dir}}\n{{.Name}}\n{{.ImportPath}}", pkg).Output()
	if err != nil {
		return fmt.Errorf("no package %s", pkg)
	}
	f := strings.Split(strings.TrimSpace(string(list)), "\n")
	if len(f) != 3 {
		return fmt.Errorf("%s is %d packages, want one", pkg, len(f)/3)
	}
	dir, name, path := f[0], f[1], f[2]
	if b.out == "" {
		b.out = strings.ReplaceAll(path, "/", "-") + ".test.elf"
	}

	tmp, err := os.MkdirTemp("", "kbuild")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	text := filepath.Join(tmp, "board.go")
	if err := os.WriteFile(text, fmt.Appendf(nil, "package %s_test\n\nimport _ %q\n", name, board), 0o644); err != nil {
		return err
	}
	b.replace[filepath.Join(dir, "zz_board_test.go")] = text
	return b.image(tree, ".", "test", "-c", "-vet=off", path)
}

// image runs the go command in dir and notes what it built.
func (b builder) image(tree stdlib.Tree, dir, verb string, args ...string) error {
	out, err := filepath.Abs(b.out)
	if err != nil {
		return err
	}
	if b.archive != "" {
		if _, err := os.Stat(b.archive); err != nil {
			return err
		}
		embedded := filepath.Join(tree.PDAC, boardDir, "archive.cpio")
		if b.replace[embedded], err = filepath.Abs(b.archive); err != nil {
			return err
		}
	}
	tmp, err := os.MkdirTemp("", "kbuild")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	overlay := filepath.Join(tmp, "overlay.json")
	if err := tree.Overlay(overlay, b.replace); err != nil {
		return err
	}
	if verb == "build" {
		if err := b.checkProgram(dir, overlay); err != nil {
			return err
		}
	}
	entry := board + ".Entry"
	// -E keeps the entry alive and makes it e_entry; TamaGo's drivers and the
	// board link to names of the runtime, which -checklinkname would refuse.
	flags := []string{verb, "-tags", "pdac", "-overlay", overlay, "-ldflags", "-E " + entry + " -checklinkname=0", "-o", out}
	if verb == "build" {
		// Dumps and tracebacks name files by package, not by this machine's folders. (Tests of the
		// standard library look for their own files by such names.)
		flags = append(flags, "-trimpath")
	}
	build := command(dir, append(flags, args...)...)
	if err := build.Run(); err != nil {
		return fmt.Errorf("go %s: %w", verb, err)
	}
	_, err = pvh.AddNote(out, entry)
	if err == nil {
		err = checkBss(out)
	}
	if err != nil {
		os.Remove(out) // no image is better than one that does not boot
	}
	return err
}

// checkProgram makes sure that the program in dir is one for an image: it depends on
// the board, and its packages keep to Go's type safety or are trusted. Where the go
// command can't tell its packages, the build says what is wrong.
func (b builder) checkProgram(dir, overlay string) error {
	list := command(dir, "list", "-e", "-deps", "-json=ImportPath,Dir,Standard,Module,GoFiles,CgoFiles,SFiles,SysoFiles,Deps",
		"-tags", "pdac", "-overlay", overlay, ".")
	list.Stderr = nil
	out, err := list.Output()
	if err != nil {
		return nil
	}
	var pkgs []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		pkgs = append(pkgs, p)
	}
	if !slices.ContainsFunc(pkgs, func(p listed) bool { return p.ImportPath == board }) {
		return fmt.Errorf("the program in %s does not import %q", dir, board)
	}
	return checkTrust(dir, pkgs, b.replace, os.Stderr)
}

// vetPackages vets packages of this module with the tag that images are built with.
func vetPackages(pkgs []string) error {
	if len(pkgs) == 0 {
		pkgs = []string{"./..."}
	}
	tree, err := stdlib.Find(".")
	if err != nil {
		return err
	}
	goroot, err := os.MkdirTemp("", "kbuild")
	if err != nil {
		return err
	}
	defer os.RemoveAll(goroot)
	if err := tree.Link(goroot); err != nil {
		return err
	}
	vet := command(".", append([]string{"vet", "-tags", "pdac"}, pkgs...)...)
	vet.Env = append(vet.Env, "GOROOT="+goroot)
	vet.Stdout = os.Stdout
	if err := vet.Run(); err != nil {
		return fmt.Errorf("go vet: %w", err)
	}
	return nil
}

// command is the go command in folder dir, set to build images.
func command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	// GOFLAGS could hold a tag list or a mode that contradicts ours.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=-buildvcs=false")
	cmd.Stderr = os.Stderr
	return cmd
}

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Program and kernel share an address space and a privilege level, so the gate holds
// for code that keeps to Go's type safety. A package that can leave it (reach.go
// lists how) gets into an image only if the program's folder names it in a file
// TRUST: an import path in each line, and comments from #. As for the go command,
// "..." in a path stands for any string, and "x/..." for x too. Without the file
// nothing is trusted.
//
// The standard library, the kernel and what the kernel imports are part of the
// image's base and need no line. Tests built by -test are not looked at: they are
// run, not handed on.

const trustFile = "TRUST"

// trustLine is a pattern of a trust list.
type trustLine struct {
	pattern string
	number  int
	match   *regexp.Regexp
}

// readTrust reads the trust list of the program in folder dir.
func readTrust(dir string) ([]trustLine, error) {
	file := filepath.Join(dir, trustFile)
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []trustLine
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line, _, _ = strings.Cut(line, "#")
		switch f := strings.Fields(line); len(f) {
		case 0:
		case 1:
			list = append(list, trustLine{f[0], number, pattern(f[0])})
		default:
			return nil, fmt.Errorf("%s:%d: %d words, want one import path", file, number, len(f))
		}
	}
	return list, nil
}

// pattern compiles a pattern as the go command takes it (go help packages).
func pattern(p string) *regexp.Regexp {
	base, below := strings.CutSuffix(p, "/...")
	expr := strings.ReplaceAll(regexp.QuoteMeta(base), `\.\.\.`, `.*`)
	if below {
		expr += `(/.*)?`
	}
	return regexp.MustCompile(`^` + expr + `$`)
}

// checkTrust lists to out the packages that can leave Go's type safety and are in the
// trust list of the program in folder dir, and the lines of it that nothing needs; it
// returns an error that names those which are not in it. overlay has the texts of
// files that are replaced.
func checkTrust(dir string, pkgs []listed, overlay map[string]string, out io.Writer) error {
	list, err := readTrust(dir)
	if err != nil {
		return err
	}
	needed := make(map[int]bool)
	var refused strings.Builder
	var names, trusts []string
	for _, p := range programs(pkgs) {
		reaches, err := p.reaches(overlay)
		if err != nil {
			return err
		}
		if len(reaches) == 0 {
			continue
		}
		trusted := false
		for _, t := range list {
			if t.match.MatchString(p.ImportPath) {
				trusted, needed[t.number] = true, true
			}
		}
		if trusted {
			trusts = append(trusts, p.ImportPath)
			continue
		}
		names = append(names, p.ImportPath)
		fmt.Fprintf(&refused, "%s:\n", p.ImportPath)
		for _, r := range reaches {
			fmt.Fprintf(&refused, "\t%s: %s\n", place(dir, r.file, r.line), r.why)
		}
	}
	file := filepath.Join(dir, trustFile)
	if len(trusts) != 0 {
		fmt.Fprintf(out, "kbuild: trusted, and able to reach around the gate: %s\n", strings.Join(trusts, ", "))
	}
	for _, t := range list {
		if !needed[t.number] {
			fmt.Fprintf(out, "kbuild: %s:%d: no package needs %q\n", file, t.number, t.pattern)
		}
	}
	if len(names) != 0 {
		return fmt.Errorf("packages that can reach around the gate are not trusted:\n%sIf they may do that, write into %s:\n%s",
			refused.String(), file, strings.Join(names, "\n"))
	}
	return nil
}

// place names a line of a file, seen from dir if it is below.
func place(dir, file string, line int) string {
	if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
		file = rel
	}
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// Modules that images are made of.
const (
	pdacModule = "pdac"
	tamago     = "github.com/usbarmory/tamago"
)

// isKernel says whether import path names a package of the kernel, which is in the
// rooms of DESIGN.md from kernel to asm.
func isKernel(path string) bool {
	for _, room := range []string{"pdac/asm", "pdac/board", "pdac/kernel"} {
		if path == room || strings.HasPrefix(path, room+"/") {
			return true
		}
	}
	return false
}

// programs returns the packages that are the program's: all but the base. What the
// program replaces of the base, other than the kernel as a whole, is its own too.
func programs(pkgs []listed) (own []listed) {
	base := make(map[string]bool)
	for _, p := range pkgs {
		if p.Standard || p.Module.Path == tamago || p.Module.Path == pdacModule && isKernel(p.ImportPath) {
			base[p.ImportPath] = true
			for _, d := range p.Deps {
				base[d] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(pkgs), func(p listed) bool {
		return base[p.ImportPath] && (p.Module.Replace == nil || p.Module.Path == pdacModule)
	})
}

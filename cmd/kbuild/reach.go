package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir string
	Standard        bool
	Module          struct {
		Path    string
		Replace *struct{ Path string } // by the program's go.mod
	}
	GoFiles, CgoFiles []string
	SFiles, SysoFiles []string
	Deps              []string // all, not the direct ones only
}

// A reach is a place where a package leaves Go's type safety, or could.
type reach struct {
	file string
	line int // 0: the whole file
	why  string
}

// forPrograms are the kernel's packages that are made for programs, and can do no more than these may.
var forPrograms = []string{"pdac/kernel/gate", "pdac/kernel/sched/dag"}

// directives are the compiler's that leave Go's type safety: the second one because
// functions with it that call each other through variables run off the end of their
// stack, into other memory, and the linker doesn't see it.
var directives = []string{"//go:linkname", "//go:nosplit"}

// dangerous are names of the standard library by which a package that doesn't
// import unsafe gets at raw system calls, at values of type unsafe.Pointer, which
// convert to any pointer (every name whose type has it in GOROOT/api), at whole pages
// of which it has a few bytes, or at what comes to be where it had something unmapped.
var dangerous = map[string][]string{
	"syscall": {"Madvise", "Mprotect", "Munmap", "Syscall", "Syscall6", "RawSyscall", "RawSyscall6", "AllThreadsSyscall", "AllThreadsSyscall6",
		"PtracePeekData", "PtracePeekText", "PtracePokeData", "PtracePokeText"},
	"reflect":     {"NewAt", "SliceAt"},
	"sync/atomic": {"LoadPointer", "StorePointer", "SwapPointer", "CompareAndSwapPointer"},
	"runtime":     {"SetCgoTraceback"},
}

// dangerousMethods are the same of reflect.Value, which a package can hold without
// importing reflect.
var dangerousMethods = []string{"UnsafePointer", "SetPointer"}

// reaches lists where a package reaches, each way once in a file, in order.
func (p listed) reaches(overlay map[string]string) (all []reach, err error) {
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		r, err := reachesOf(filepath.Join(p.Dir, name), overlay)
		if err != nil {
			return nil, err
		}
		all = append(all, r...)
	}
	for _, name := range p.SFiles {
		all = append(all, reach{filepath.Join(p.Dir, name), 0, "is assembly"})
	}
	for _, name := range p.SysoFiles {
		all = append(all, reach{filepath.Join(p.Dir, name), 0, "is an object file"})
	}
	return all, nil
}

// reachesOf does it for a file of Go.
func reachesOf(file string, overlay map[string]string) (all []reach, err error) {
	from := file
	if text, ok := overlay[file]; ok {
		from = text
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	add := func(at token.Pos, why string) {
		if !seen[why] {
			seen[why] = true
			all = append(all, reach{file, set.PositionFor(at, false).Line, why}) // not where a //line directive claims
		}
	}

	names := make(map[string][]string) // name of an import in this file -> dangerous ones in it
	for _, imp := range f.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		if why := importReach(path, imp.Name); why != "" {
			add(imp.Pos(), why)
		}
		if list := dangerous[path]; list != nil {
			name := path[strings.LastIndex(path, "/")+1:]
			if imp.Name != nil {
				name = imp.Name.Name
			}
			if name == "." {
				add(imp.Pos(), "imports "+path+" by a dot, which hides what it uses")
			}
			names[name] = list
		}
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			for _, d := range directives {
				if strings.HasPrefix(c.Text, d) {
					add(c.Pos(), "has "+d)
				}
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && slices.Contains(names[x.Name], s.Sel.Name) {
			add(s.Pos(), "uses "+x.Name+"."+s.Sel.Name)
		} else if slices.Contains(dangerousMethods, s.Sel.Name) {
			add(s.Pos(), "uses a method "+s.Sel.Name+", as reflect.Value's")
		}
		return true
	})
	return all, nil
}

// importReach says why to import a package is to reach around the gate; "": it is
// not. name is the one given to it.
func importReach(path string, name *ast.Ident) string {
	switch {
	case path == "unsafe", path == "C":
		return "imports " + path
	case path == "golang.org/x/sys/unix":
		return "imports " + path + ", whose calls take addresses as numbers"
	case path == tamago || strings.HasPrefix(path, tamago+"/"):
		return "imports " + path + ", which drives devices"
	case strings.HasPrefix(path, "pdac/board/") && name != nil && name.Name == "_":
		return "" // what makes the program an image
	case isKernel(path) && !slices.Contains(forPrograms, path):
		return "imports " + path + ", which is the kernel's own"
	}
	return ""
}

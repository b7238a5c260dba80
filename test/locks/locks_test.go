package locks

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pdac/test/boot"
)

// TestLocksAreListed compares the declarations of lockfree.SpinLock in the tree
// with the first column of docs/LOCKS.md.
func TestLocksAreListed(t *testing.T) {
	root := boot.Root(t)
	declared := map[string]string{} // "package `name`" -> where
	for _, room := range []string{"board", "kernel"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			dir, _ := filepath.Rel(root, filepath.Dir(path))
			for _, name := range locksOf(f) {
				declared[filepath.ToSlash(dir)+" `"+name+"`"] = path
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "docs/LOCKS.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| (\\S+ `[^`]+`)").FindAllStringSubmatch(string(text), -1) {
		listed[m[1]] = true
	}
	if len(declared) == 0 {
		t.Fatal("no lock was found")
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if !listed[name] {
			t.Errorf("%s (%s) is not in docs/LOCKS.md", name, declared[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if declared[name] == "" {
			t.Errorf("docs/LOCKS.md lists %s, which is no SpinLock", name)
		}
	}
}

// locksOf returns the spin locks that a file declares: variables by name, fields
// as type.field or variable.field.
func locksOf(f *ast.File) (names []string) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, locksIn(s.Name.Name, s.Type)...)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, locksIn(n.Name, s.Type)...)
				}
			}
		}
	}
	return names
}

// locksIn returns the spin locks in a declaration of that name and type.
func locksIn(name string, typ ast.Expr) (names []string) {
	switch typ := typ.(type) {
	case *ast.SelectorExpr:
		if typ.Sel.Name == "SpinLock" {
			names = append(names, name)
		}
	case *ast.ArrayType:
		return locksIn(name, typ.Elt)
	case *ast.StructType:
		for _, field := range typ.Fields.List {
			for _, n := range field.Names {
				names = append(names, locksIn(name+"."+n.Name, field.Type)...)
			}
			if len(field.Names) == 0 { // embedded
				names = append(names, locksIn(name, field.Type)...)
			}
		}
	}
	return names
}

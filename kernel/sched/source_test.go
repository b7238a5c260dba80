package sched

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// runsTasks is who may name StateRunning, and why.
var runsTasks = map[string]string{
	"run":            "READY -> RUNNING, by CAS of an entry that came from a queue",
	"capture":        "the same through take, of an entry that is in a queue",
	"contend":        "from RUNNING",
	"search":         "from RUNNING",
	"Exit":           "from RUNNING",
	"Park":           "from RUNNING",
	"Sleep":          "from RUNNING",
	"leaveBarred":    "from RUNNING",
	"Urgent":         "looks only",
	"SetAffinity":    "looks only",
	"SetClass":       "looks only",
	"package clause": "declares it",
}

// TestOnlyQueuesRunTasks fails when anything else than an entry of a run queue can make a task RUNNING.
func TestOnlyQueuesRunTasks(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			name := "package clause"
			if fn, ok := d.(*ast.FuncDecl); ok {
				name = fn.Name.Name
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && id.Name == "StateRunning" {
					seen[name] = true
					if runsTasks[name] == "" {
						t.Errorf("%s: %s names StateRunning", f.Name(), name)
					}
				}
				if c, ok := n.(*ast.CallExpr); ok && strings.HasPrefix(runsTasks[name], "from") && len(c.Args) > 0 {
					if last, ok := c.Args[len(c.Args)-1].(*ast.Ident); ok && last.Name == "StateRunning" {
						if sel, ok := c.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "move" {
							t.Errorf("%s: %s moves a task to RUNNING", f.Name(), name)
						}
					}
				}
				return true
			})
		}
	}
	for name := range runsTasks {
		if !seen[name] {
			t.Errorf("%s does not name StateRunning any more", name)
		}
	}
}

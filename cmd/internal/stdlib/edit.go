package stdlib

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An edit replaces a text of a stock file that must be there exactly once. The
// new text has as many lines, so that line numbers stay true.
type edit struct{ file, old, new string }

// edits keep the capability space of goroutines: see space.go.txt and context.go.txt in overlayDir.
var edits = []edit{
	{"runtime/proc.go", // newproc1: a go statement, but not of the runtime or of a timer
		"newg.labels = mp.curg.labels",
		"newg.labels, newg.valgrindStackID = mp.curg.labels, mp.curg.valgrindStackID"},
	{"runtime/proc.go", // gdestroy: the g will be another goroutine's
		"gp.labels = nil",
		"gp.labels, gp.valgrindStackID = nil, 0"},
	{"context/context.go", // AfterFunc, whose function is run by who cancels: see context.go.txt
		"\t\tf: f,\n",
		"\t\tf: inSpace(f),\n"},
}

// edited returns the texts of the files that edits change, by name in GOROOT/src.
func (t Tree) edited(edits []edit) (map[string]string, error) {
	texts := make(map[string]string)
	for _, e := range edits {
		text, ok := texts[e.file]
		if !ok {
			b, err := os.ReadFile(filepath.Join(t.GOROOT, "src", e.file))
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("%s is not supported: its %s has %q %d times, want once (the capability space of goroutines is kept by it)",
				t.version(), e.file, e.old, n)
		}
		texts[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return texts, nil
}

// version names the Go installation.
func (t Tree) version() string {
	b, err := os.ReadFile(filepath.Join(t.GOROOT, "VERSION"))
	if err != nil {
		return "the Go of " + t.GOROOT
	}
	version, _, _ := strings.Cut(string(b), "\n")
	return version
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// everything is what make test-long runs.
var everything = []string{
	"sort", "strings", "bytes", "strconv", "unicode/...", "container/...", "math/...", "encoding/...", "compress/...", "hash/...",
	"crypto/...", "text/...", "regexp/...", "sync/...", "context", "time", "runtime", "bufio", "fmt", "errors", "io/...", "maps",
	"slices", "iter", "index/...", "log/...", "archive/...",
}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath                string
	Match                     []string // patterns that name it
	TestGoFiles, XTestGoFiles []string
}

func (p pkg) hasTests() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

// list returns the packages of these patterns, in the order of the patterns. One
// without tests is among them only if it is named by itself.
func list(patterns []string) (pkgs []pkg, err error) {
	cmd := command("go", append([]string{"list", "-json=ImportPath,Match,TestGoFiles,XTestGoFiles"}, patterns...)...)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	for dec := json.NewDecoder(out); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.hasTests() || slices.Contains(p.Match, p.ImportPath) {
			pkgs = append(pkgs, p)
		}
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return pkgs, nil
}

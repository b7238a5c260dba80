// Mkworkload collects the files of the standard image's workload from GOROOT
// (Newton's Opticks and the Go sources of a few packages), computes what must
// come out of each, and writes them with that list into a folder.
//
//	mkworkload FOLDER
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"pdac/workload"
)

const opticks = "testdata/Isaac.Newton-Opticks.txt"

var packages = []string{"fmt", "go", "net", "runtime"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: mkworkload FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "mkworkload:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	src := os.DirFS(filepath.Join(strings.TrimSpace(string(out)), "src"))
	names := []string{opticks}
	for _, dir := range packages {
		err := fs.WalkDir(src, dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".go") {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	var p workload.Packer
	var items []workload.Item
	for _, name := range names {
		b, err := fs.ReadFile(src, name)
		if err != nil {
			return err
		}
		items = append(items, p.Pack(name, b))
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, b, 0o644); err != nil {
			return err
		}
	}
	// The largest first: the CPUs finish together.
	slices.SortStableFunc(items, func(a, b workload.Item) int { return cmp.Compare(b.Size, a.Size) })
	b, err := json.Marshal(items)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, workload.Manifest), b, 0o644)
}

package main

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// File types in a mode word (stat(2)).
const (
	typeDir  = 0o040000
	typeFile = 0o100000
	typeLink = 0o120000
	typeMask = 0o170000
)

// A node is one member: a folder, a symbolic link to target, or the content of the host file source.
type node struct {
	mode   uint32
	target string
	source string
	size   int64
}

func (n node) isDir() bool { return n.mode&typeMask == typeDir }

// A tree is the members by name, relative to the root of the archive.
type tree map[string]node

// add puts the host file or folder of one argument, path[=name], into the tree.
func (t tree) add(root, arg string) error {
	from, name, renamed := strings.Cut(arg, "=")
	if !renamed {
		name = filepath.ToSlash(from)
	}
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		n, err := read(p, d)
		if err != nil {
			return err
		}
		return t.put(path.Join("/", root, name, filepath.ToSlash(rel))[1:], n)
	})
}

// read makes a node of a host file.
func read(p string, d fs.DirEntry) (node, error) {
	info, err := d.Info()
	if err != nil {
		return node{}, err
	}
	switch {
	case info.IsDir():
		return node{mode: typeDir | 0o755}, nil
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(p)
		return node{mode: typeLink | 0o777, target: target, size: int64(len(target))}, err
	case !info.Mode().IsRegular():
		return node{}, fmt.Errorf("%s is no file, folder or symbolic link", p)
	case info.Size() > math.MaxUint32:
		return node{}, fmt.Errorf("%s is larger than the format allows, 4 GiB - 1", p)
	}
	mode := uint32(typeFile | 0o644)
	if info.Mode()&0o111 != 0 {
		mode |= 0o111
	}
	return node{mode: mode, source: p, size: info.Size()}, nil
}

// put adds a node and the folders above it. Only a folder may come twice.
func (t tree) put(name string, n node) error {
	if name == "" {
		if !n.isDir() {
			return fmt.Errorf("%s would be the root of the archive", n.source)
		}
		return nil
	}
	if old, ok := t[name]; ok && !(old.isDir() && n.isDir()) {
		return fmt.Errorf("two files are called %s", name)
	}
	t[name] = n
	if dir := path.Dir(name); dir != "." {
		return t.put(dir, node{mode: typeDir | 0o755})
	}
	return nil
}

// write writes the archive: sorted, so that a folder precedes what it contains.
func (t tree) write(w io.Writer) error {
	c := &counter{Writer: w}
	for i, name := range slices.Sorted(maps.Keys(t)) {
		if err := t[name].write(c, uint32(i+1), name); err != nil {
			return err
		}
	}
	return node{}.write(c, 0, "TRAILER!!!")
}

// write writes one member: 13 numbers of 8 hexadecimal digits after the magic, the name with its NUL, and the data, the latter two
// padded to 4 bytes (cpio(5), "New ASCII Format").
func (n node) write(c *counter, ino uint32, name string) error {
	links := uint32(1)
	if n.isDir() {
		links = 2
	}
	fmt.Fprintf(c, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		ino, n.mode, 0, 0, links, 0, n.size, 0, 0, 0, 0, len(name)+1, 0, name)
	c.pad()
	if n.source != "" {
		if err := copyFile(c, n.source, n.size); err != nil {
			return err
		}
	} else {
		io.WriteString(c, n.target)
	}
	c.pad()
	return c.err
}

// A counter counts what it passes on, and keeps the first error.
type counter struct {
	io.Writer
	n   int64
	err error
}

func (c *counter) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.Writer.Write(b)
	c.n += int64(n)
	c.err = err
	return n, err
}

func (c *counter) pad() { c.Write(make([]byte, -c.n&3)) }

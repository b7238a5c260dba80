// Mkarchive writes a cpio archive of the "newc" format from files and folders: the file tree of an image.
//
// Usage:
//
//	mkarchive -o out.cpio [-root /prefix] path[=name]...
//
// A path appears in the archive under name, by default under the path itself, below the prefix of -root. A folder brings what it
// contains; symbolic links stay links. The archive depends on names, contents and execute bits alone: members are sorted, owned by
// root and dated 1970.
//
// It runs on the host.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	out := flag.String("o", "", "write the archive to this `file`")
	root := flag.String("root", "/", "put everything below this `prefix`")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: mkarchive -o out.cpio [-root /prefix] path[=name]...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *out == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*out, *root, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mkarchive:", err)
		os.Exit(1)
	}
}

// run writes the archive beside its place and moves it there when it is whole.
func run(out, root string, args []string) error {
	t := tree{}
	for _, arg := range args {
		if err := t.add(root, arg); err != nil {
			return err
		}
	}
	temp := out + ".tmp"
	f, err := os.Create(temp)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = t.write(w)
	if e := w.Flush(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(temp, out)
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}

// copyFile writes the content of a host file, which must still have the size that its header told.
func copyFile(w io.Writer, path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(w, f)
	if err == nil && n != size {
		err = fmt.Errorf("%s changed while it was read", path)
	}
	return err
}

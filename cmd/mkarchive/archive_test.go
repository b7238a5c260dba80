package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sample makes a folder with a bit of everything and returns its path.
func sample(t *testing.T) string {
	dir := t.TempDir()
	for name, content := range map[string]string{"b/empty": "", "b/text": "text\n", "a": "abc", "z/y/x": strings.Repeat("x", 4099)} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../a", filepath.Join(dir, "b/link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func archive(t *testing.T, root string, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.cpio")
	if err := run(out, root, args); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// names are the members' names in order; the parser here knows no more than the layout.
func names(t *testing.T, b []byte) (list []string) {
	t.Helper()
	field := func(off, i int) (v int) {
		for _, c := range b[off+6+8*i:][:8] {
			v = v<<4 | strings.IndexByte("0123456789abcdef", c)
		}
		return v
	}
	for off := 0; ; {
		if string(b[off:off+6]) != "070701" {
			t.Fatalf("no magic at %d", off)
		}
		name := string(b[off+110:][:field(off, 11)-1])
		list = append(list, name)
		if name == "TRAILER!!!" {
			return list
		}
		data := (off + 110 + len(name) + 1 + 3) &^ 3
		off = (data + field(off, 6) + 3) &^ 3
	}
}

func TestArchiveNamesAreSortedAndRooted(t *testing.T) {
	dir := sample(t)
	got := strings.Join(names(t, archive(t, "/usr/lib", dir+"=in", dir+"/a=/deep/er/a")), " ")
	want := "usr usr/lib usr/lib/deep usr/lib/deep/er usr/lib/deep/er/a usr/lib/in usr/lib/in/a usr/lib/in/b usr/lib/in/b/empty " +
		"usr/lib/in/b/link usr/lib/in/b/text usr/lib/in/z usr/lib/in/z/y usr/lib/in/z/y/x TRAILER!!!"
	if got != want {
		t.Errorf("names are\n%s, want\n%s", got, want)
	}
}

func TestArchiveIsDeterministic(t *testing.T) {
	one, two := sample(t), sample(t)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(two, "a"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(two, "b/text"), 0o444); err != nil {
		t.Fatal(err)
	}
	a, b := archive(t, "/", one+"=.", one+"/a=c"), archive(t, "/", two+"/a=c", two+"=.")
	if !bytes.Equal(a, b) {
		t.Error("the same files give different archives")
	}
	if len(a)%4 != 0 {
		t.Errorf("length %d is not padded", len(a))
	}
}

func TestArchiveRefusesDuplicates(t *testing.T) {
	dir := sample(t)
	out := filepath.Join(t.TempDir(), "out.cpio")
	for _, args := range [][]string{
		{dir + "/a=x", dir + "/b/text=x"}, {dir + "/a=x", dir + "/b=x"}, {dir + "/a=/"}, {dir + "/missing"}, {"/dev/null"},
	} {
		if err := run(out, "/", args); err == nil {
			t.Errorf("%v: no error", args)
		}
		if left, _ := filepath.Glob(out + "*"); len(left) != 0 {
			t.Fatalf("%v leaves %v", args, left)
		}
	}
}

func TestArchiveIsReadByCpio(t *testing.T) {
	cpio, err := exec.LookPath("cpio")
	if err != nil {
		t.Skip("cpio is not installed")
	}
	cmd := exec.Command(cpio, "-it", "--quiet")
	cmd.Stdin = bytes.NewReader(archive(t, "/", sample(t)+"=d"))
	got, err := cmd.Output()
	if want := "d\nd/a\nd/b\nd/b/empty\nd/b/link\nd/b/text\nd/z\nd/z/y\nd/z/y/x\n"; err != nil || string(got) != want {
		t.Errorf("cpio lists %q (%v), want %q", got, err, want)
	}
}

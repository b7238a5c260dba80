package linux

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"pdac/kernel/klog"
)

// entryOf is a member of a test's archive; mode 0 is a regular file.
type entryOf struct {
	name, data string
	mode       uint32
	ino, nlink uint32
	major      uint32
	minor      uint32
	magic      string
	check      uint32
}

func appendMember(b []byte, e entryOf) []byte {
	if e.mode == 0 {
		e.mode = modeRegular | 0o644
	}
	if e.magic == "" {
		e.magic = magicPlain
	}
	pad := func() {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	b = fmt.Appendf(b, "%s%08X%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", e.magic,
		e.ino, e.mode, 7, 8, e.nlink, 1234, len(e.data), 0, 0, e.major, e.minor, len(e.name)+1, e.check, e.name)
	pad()
	b = append(b, e.data...)
	pad()
	return b
}

func archiveOf(t testing.TB, members []entryOf) []byte {
	t.Helper()
	var b []byte
	for _, e := range members {
		b = appendMember(b, e)
	}
	return appendMember(b, entryOf{name: trailerName})
}

// listing describes the whole tree, one line a name, but for the built-in files.
func listing() string {
	var lines []string
	var dir func(e uint32, path string)
	dir = func(e uint32, path string) {
		for c := tree.entries[e].first; c != 0; c = tree.entries[c].sibling {
			in := &tree.inodes[tree.entries[c].inode]
			p := path + "/" + string(tree.entries[c].name.bytes())
			if tree.entries[c].name.builtin != 0 {
				continue
			}
			line := fmt.Sprintf("%s %o %d", p, in.mode, in.nlink)
			if in.mode&modeType != modeDir {
				line += fmt.Sprintf(" %q", in.data.bytes())
			}
			lines = append(lines, line)
			if tree.isDir(c) {
				dir(c, p)
			}
		}
	}
	dir(rootEntry, "")
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// logged returns what the log says since this call.
func logged() func() string {
	from := klog.Head()
	return func() (all string) {
		var e klog.Entry
		for {
			if _, ok := klog.Read(from, &e); !ok {
				return all
			}
			all += string(e.Text()) + "\n"
			from = e.Seq + 1
		}
	}
}

func TestArchiveTree(t *testing.T) {
	dirMode := uint32(modeDir | 0o700)
	initFiles(1, archiveOf(t, []entryOf{
		{name: ".", mode: modeDir | 0o711},
		{name: "./a//b/c", data: "one"},
		{name: "/a/b/d", data: "two"},
		{name: "a/b", mode: dirMode}, // made up before
		{name: "a/b/c", data: "later"},
		{name: "h1", data: "", ino: 5, nlink: 3},
		{name: "h2", data: "", ino: 5, nlink: 3},
		{name: "a/h3", data: "shared", ino: 5, nlink: 3},
		{name: "h2", data: "own"}, // no longer a link
		{name: "link", mode: modeLink | 0o777, data: "a/b"},
		{name: "summed", data: "\x01\x02\xff", magic: magicSummed, check: 0x102},
		{name: "tty", mode: modeChar | 0o600, major: 5, minor: 1},
	}))
	want := `/a 40755 3
/a/b 40700 2
/a/b/c 100644 1 "later"
/a/b/d 100644 1 "two"
/a/h3 100644 2 "shared"
/h1 100644 2 "shared"
/h2 100644 1 "own"
/link 120777 1 "a/b"
/summed 100644 1 "\x01\x02\xff"
/tty 20600 1 ""`
	if got := listing(); got != want {
		t.Errorf("the tree is\n%s\nwant\n%s", got, want)
	}
	if m := tree.modeOf(rootEntry); m != modeDir|0o711 {
		t.Errorf("the root's mode is %o", m)
	}
}

// TestArchiveBad checks that the sound part of a bad archive is kept, and that one
// line says what was wrong.
func TestArchiveBad(t *testing.T) {
	good := entryOf{name: "good", data: "1234567"}
	whole := archiveOf(t, []entryOf{good, {name: "second", data: "x"}})
	second := bytes.Index(whole[1:], []byte(magicPlain)) + 1
	patch := func(off int, s string) []byte {
		b := bytes.Clone(whole)
		copy(b[off:], s)
		return b
	}
	for _, c := range []struct {
		name, says string
		b          []byte
		kept       string
	}{
		{"nothing", "truncated", []byte{}, ""},
		{"header cut", "truncated", whole[:second+20], "good"},
		{"name cut", "name is truncated", whole[:second+memberSize+2], "good"},
		{"data cut", "data of its last member", whole[:second+memberSize+8], "good"},
		{"no trailer", "truncated before its trailer", whole[:second+memberSize+16], "good second"},
		{"magic", "bad magic", patch(second, "070707"), "good"},
		{"digits", "not hexadecimal", patch(second+30, "zz"), "good"},
		{"huge data", "data of its last member", patch(second+6+8*6, "ffffffff"), "good"},
		{"huge name", "name is truncated", patch(second+6+8*11, "ffffffff"), "good"},
		{"no name", "name is truncated", patch(second+6+8*11, "00000000"), "good"},
		{"dotdot", "contains ..", archiveOf(t, []entryOf{good, {name: "a/../b"}}), "a good"},
		{"through a file", "no directory", archiveOf(t, []entryOf{good, {name: "good/x"}}), "good"},
		{"dir replaced", "name of a directory", archiveOf(t, []entryOf{{name: "d/x"}, {name: "d"}, good}), "d d/x good"},
		{"component", "too long a component", archiveOf(t, []entryOf{{name: strings.Repeat("n", 256)}, good}), "good"},
		{"path", "name is too long", archiveOf(t, []entryOf{{name: strings.Repeat("n/", 2048)}, good}), "good"},
		{"type", "unknown type", archiveOf(t, []entryOf{{name: "x", mode: 0o644}, good}), "good"},
		{"link", "bad length", archiveOf(t, []entryOf{{name: "x", mode: modeLink}, good}), "good"},
		{"checksum", "bad checksum", archiveOf(t, []entryOf{{name: "x", data: "x", magic: magicSummed, check: 1}, good}), "good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := logged()
			initFiles(1, c.b)
			var kept []string
			for _, line := range strings.Split(listing(), "\n") {
				kept = append(kept, strings.TrimPrefix(strings.Split(line, " ")[0], "/"))
			}
			if got := strings.Join(kept, " "); got != c.kept {
				t.Errorf("kept %q, want %q", got, c.kept)
			}
			got := log()
			if strings.Count(got, "cpio: ") != 1 || !strings.Contains(got, c.says) {
				t.Errorf("the log says %q, want one line with %q", got, c.says)
			}
		})
	}
}

func TestArchiveTooManyFiles(t *testing.T) {
	var b []byte
	for i := range 5000 {
		b = appendMember(b, entryOf{name: fmt.Sprintf("dir%d/f%d", i%10, i)})
	}
	log := logged()
	initFiles(1, appendMember(b, entryOf{name: trailerName}))
	if got := log(); !strings.Contains(got, "no room for more files") {
		t.Errorf("the log says %q", got)
	}
	if e, errno := tree.walk(rootEntry, []byte("/dir3/f3"), true); e == 0 || errno != 0 {
		t.Errorf("an early file is lost: %d, %d", e, errno)
	}
}

// hostTree makes a folder with nested files, links and odd names, and describes it
// as listing does.
func hostTree(t *testing.T) (dir, want string) {
	dir = t.TempDir()
	var lines []string
	for _, f := range []string{"a", "b/c", "b/ d e", "b/x/y/z", "empty"} {
		p := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		data := strings.Repeat(f, 3)
		if f == "empty" {
			data = ""
		}
		if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("/%s 100644 1 %q", f, data))
	}
	if err := os.Symlink("../a", filepath.Join(dir, "b/l")); err != nil {
		t.Fatal(err)
	}
	lines = append(lines, `/b/l 120777 1 "../a"`, "/b 40755 3", "/b/x 40755 3", "/b/x/y 40755 2")
	sort.Strings(lines)
	return dir, strings.Join(lines, "\n")
}

func TestArchiveOfMkarchive(t *testing.T) {
	dir, want := hostTree(t)
	out := filepath.Join(t.TempDir(), "out.cpio")
	if b, err := exec.Command("go", "run", "pdac/cmd/mkarchive", "-o", out, dir+"=/").CombinedOutput(); err != nil {
		t.Fatalf("mkarchive: %v\n%s", err, b)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	log := logged()
	initFiles(1, b)
	if got := listing(); got != want {
		t.Errorf("the tree is\n%s\nwant\n%s", got, want)
	}
	if got := log(); got != "" {
		t.Errorf("the log says %q", got)
	}
}

func TestArchiveOfCpio(t *testing.T) {
	if _, err := exec.LookPath("cpio"); err != nil {
		t.Skip("cpio is not installed")
	}
	dir, want := hostTree(t)
	cmd := exec.Command("sh", "-c", "find . | cpio --quiet -o -H newc")
	cmd.Dir = dir
	b, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	initFiles(1, b)
	if got := listing(); got != want {
		t.Errorf("the tree is\n%s\nwant\n%s", got, want)
	}
}

// FuzzArchive looks for panics, and for trees that contradict themselves.
func FuzzArchive(f *testing.F) {
	f.Add(archiveOf(f, []entryOf{{name: "a/b", data: "x"}, {name: "h", ino: 1, nlink: 2}, {name: "i", ino: 1, nlink: 2, data: "y"}}))
	f.Add(archiveOf(f, []entryOf{{name: "l", mode: modeLink | 0o777, data: "/l/l"}, {name: "a", mode: modeDir}, {name: "./a/"}}))
	f.Add([]byte("070701"))
	f.Fuzz(func(t *testing.T, b []byte) {
		initFiles(1, b)
		links := make([]uint32, tree.nInode)
		for e := uint32(rootEntry); e < tree.nEntry; e++ {
			en := &tree.entries[e]
			links[en.inode]++
			if tree.isDir(e) {
				links[en.inode]++
				links[tree.entries[en.parent].inode]++
			}
			if e == rootEntry {
				links[en.inode]-- // it is its own child
				continue
			}
			name := en.name.bytes()
			if got := tree.child(en.parent, name); got != e {
				t.Errorf("%q in %d is %d, want %d", name, en.parent, got, e)
			}
			if !tree.isDir(en.parent) || en.parent >= e || len(name) == 0 || len(name) > maxName || bytes.ContainsAny(name, "/") {
				t.Errorf("bad entry %q in %d", name, en.parent)
			}
			tree.inodes[en.inode].data.bytes()
		}
		for i := uint32(1); i < tree.nInode; i++ {
			if got := tree.inodes[i].nlink; got != links[i] && !(i == 1 && got == links[i]) {
				t.Errorf("inode %d has %d links, counted %d", i, got, links[i])
			}
		}
	})
}

func TestMembers(t *testing.T) {
	two := archiveOf(t, []entryOf{{name: "a", data: "1234567"}, {name: "b", data: "x"}})
	for _, c := range []struct {
		b    []byte
		want int
	}{{nil, 0}, {[]byte("nonsense"), 0}, {archiveOf(t, nil), 0}, {two, 2}, {append(two, two...), 2}, {two[:len(two)-memberSize], 2}, {two[:memberSize+4], 0}} {
		if got := Members(c.b); got != c.want {
			t.Errorf("%d members in %d bytes, want %d", got, len(c.b), c.want)
		}
	}
}

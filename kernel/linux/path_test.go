package linux

import (
	"fmt"
	"strings"
	"testing"
)

// pathArchive has links of every shape.
func pathArchive(t testing.TB) []byte {
	link := func(name, target string) entryOf {
		return entryOf{name: name, mode: modeLink | 0o777, data: target}
	}
	members := []entryOf{
		{name: "d/e/f", data: "file"}, {name: "top", data: "top"}, {name: "run", data: "#!", mode: modeRegular | 0o755},
		link("abs", "/d/e"), link("rel", "d"), link("d/up", "../top"), link("d/e/deep", "../../rel/e/f"),
		link("loop", "loop"), link("ping", "pong"), link("pong", "ping"), link("dead", "nowhere"), link("slash", "d/"),
		link("fileslash", "top/"), link("self", "."), link("root", "///"), {name: strings.Repeat("n", 255), data: "long"},
	}
	for i := range 45 {
		members = append(members, link(fmt.Sprintf("c%d", i+1), fmt.Sprintf("c%d", i)))
	}
	return archiveOf(t, append(members, entryOf{name: "c0", data: "end"}))
}

func TestPathLookup(t *testing.T) {
	initFiles(1, pathArchive(t))
	dir := func(path string) uint32 {
		e, errno := tree.walk(rootEntry, []byte(path), true)
		if e == 0 || errno != 0 {
			t.Fatalf("%s: %d, %d", path, e, errno)
		}
		return e
	}
	const missing = -1000 // a missing last component
	long := strings.Repeat("n", 255)
	for _, c := range []struct {
		from, path string
		follow     bool
		want       string // the entry's path
		errno      int64
	}{
		{"/", "d/e/f", true, "/d/e/f", 0},
		{"/d", "e/f", true, "/d/e/f", 0},
		{"/d/e", "/top", true, "/top", 0},
		{"/d/e", "../../top", true, "/top", 0},
		{"/", "../../..//./top", true, "/top", 0},
		{"/", "//d///e//.//f", true, "/d/e/f", 0},
		{"/", "/", true, "/", 0},
		{"/d", ".", true, "/d", 0},
		{"/d/e", "..", true, "/d", 0},
		{"/", "d/", true, "/d", 0},
		{"/", "d/e/f/", true, "", enotdir},
		{"/", "d/e/f/.", true, "", enotdir},
		{"/", "d/e/f/..", true, "", enotdir},
		{"/", "top/x", true, "", enotdir},
		{"/", "", true, "", enoent},
		{"/", "nope", true, "", missing},
		{"/", "nope/", true, "", enoent},
		{"/", "nope/x", true, "", enoent},
		{"/", "d/nope", true, "", missing},
		{"/", "abs/f", true, "/d/e/f", 0},
		{"/", "abs", true, "/d/e", 0},
		{"/", "abs", false, "/abs", 0},
		{"/", "abs/", false, "/d/e", 0},
		{"/", "abs/..", true, "/d", 0},
		{"/", "rel/e/../up", true, "/top", 0},
		{"/", "rel/up", false, "/d/up", 0},
		{"/d/e", "deep", true, "/d/e/f", 0},
		{"/", "loop", true, "", eloop},
		{"/", "loop", false, "/loop", 0},
		{"/", "loop/x", false, "", eloop},
		{"/", "ping", true, "", eloop},
		{"/", "dead", true, "", missing},
		{"/", "dead/", true, "", enoent},
		{"/", "dead/x", true, "", enoent},
		{"/", "dead", false, "/dead", 0},
		{"/", "slash/e/f", true, "/d/e/f", 0},
		{"/", "slash", true, "/d", 0},
		{"/", "fileslash", true, "", enotdir},
		{"/", "self/self/self/top", true, "/top", 0},
		{"/d", "/root/top", true, "/top", 0},
		{"/", "c40", true, "/c0", 0},
		{"/", "c41", true, "", eloop},
		{"/", strings.Repeat("self/", 40) + "top", true, "/top", 0},
		{"/", strings.Repeat("self/", 41) + "top", true, "", eloop},
		{"/", long, true, "/" + long, 0},
		{"/", long + "n", true, "", enametoolong},
		{"/", long + "n/x", true, "", enametoolong},
	} {
		e, errno := tree.walk(dir(c.from), []byte(c.path), c.follow)
		if e == 0 && errno == 0 {
			errno = missing
		}
		got := ""
		if e != 0 {
			got = string(tree.pathOf(e, make([]byte, maxPath)))
		}
		if got != c.want || errno != c.errno {
			t.Errorf("%q from %s (follow %v) = %q, %d; want %q, %d", c.path, c.from, c.follow, got, errno, c.want, c.errno)
		}
	}
}

// FuzzPathLookup compares lookups with a slow one that expands links textually.
func FuzzPathLookup(f *testing.F) {
	for _, p := range []string{"d/e/f", "../abs//f/", "rel/up", "c41", "slash/./e", "root/root/dead/x", "loop/", "self/d/e/deep"} {
		f.Add(p, true)
		f.Add(p, false)
	}
	archive := pathArchive(f)
	f.Fuzz(func(t *testing.T, path string, follow bool) {
		if len(path) >= maxPath || strings.Contains(path, "\x00") {
			return
		}
		initFiles(1, archive)
		e, errno := tree.walk(rootEntry, []byte(path), follow)
		we, werrno := slowWalk(path, follow)
		if e != we || errno != werrno {
			t.Errorf("%q (follow %v) = %d, %d; want %d, %d", path, follow, e, errno, we, werrno)
		}
	})
}

// slowWalk resolves path by rewriting it until no link is left.
func slowWalk(path string, follow bool) (uint32, int64) {
	if path == "" {
		return 0, enoent
	}
	at, links := uint32(rootEntry), 0
	for path = strings.TrimLeft(path, "/"); path != ""; {
		name, rest, slash := strings.Cut(path, "/")
		rest = strings.TrimLeft(rest, "/")
		if !tree.isDir(at) {
			return 0, enotdir
		}
		next := uint32(0)
		switch {
		case name == ".":
			next = at
		case name == "..":
			next = tree.entries[at].parent
		case len(name) > maxName:
			return 0, enametoolong
		default:
			for c := tree.entries[at].first; c != 0; c = tree.entries[c].sibling {
				if string(tree.entries[c].name.bytes()) == name {
					next = c
				}
			}
		}
		if next == 0 {
			if slash {
				return 0, enoent
			}
			return 0, 0
		}
		if tree.modeOf(next)&modeType == modeLink && (slash || follow) {
			if links++; links > maxLinks {
				return 0, eloop
			}
			path = string(tree.target(next))
			if strings.HasPrefix(path, "/") {
				at = rootEntry
				path = strings.TrimLeft(path, "/")
			}
			if slash {
				if rest == "" {
					rest = "."
				}
				path += "/" + rest
				path = strings.TrimLeft(path, "/")
			}
			continue
		}
		if slash && !tree.isDir(next) {
			return 0, enotdir
		}
		at, path = next, rest
	}
	return at, 0
}

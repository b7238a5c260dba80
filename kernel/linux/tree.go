package linux

import "unsafe"

// The file tree: read-only, built once at boot from an archive and a few
// built-in files, then never changed, so that lookups need no lock. Names and
// data stay where they are; the tree refers to them by offset. A name is found
// by hashing (directory, component), one probe a component, so that symbolic
// links to directories work; a directory lists its children in the order of
// their arrival.
//
// Rejected: one hash by full path. It saves probes on long paths but has to walk
// anyway at a symbolic link, a "..", or a name relative to a directory.

// File types and the permission bits kept with them, as in st_mode.
const (
	modeType    = 0o170000
	modeSocket  = 0o140000
	modeLink    = 0o120000
	modeRegular = 0o100000
	modeBlock   = 0o060000
	modeDir     = 0o040000
	modeChar    = 0o020000
	modeFIFO    = 0o010000
)

// source says where bytes lie: at off in the archive, or in a built-in text.
type source struct {
	off     uint64
	n       uint32
	builtin uint32 // 0: the archive; else 1 + 2 * index in builtins, and one more for its content
}

func (s source) bytes() []byte {
	if s.builtin == 0 {
		return tree.archive[s.off : s.off+uint64(s.n)]
	}
	b := &builtins[(s.builtin-1)/2]
	text := b.path
	if s.builtin&1 == 0 {
		text = b.content
	}
	text = text[s.off : s.off+uint64(s.n)]
	return unsafe.Slice(unsafe.StringData(text), len(text))
}

// sub is the part of s from i to j.
func (s source) sub(i, j int) source {
	return source{off: s.off + uint64(i), n: uint32(j - i), builtin: s.builtin}
}

// Entry is one name in a directory. Number 0 means none, number 1 is the root,
// its own parent. Immutable after boot.
type Entry struct {
	name        source // one component
	inode       uint32
	parent      uint32
	first, last uint32 // children of a directory
	sibling     uint32 // the next child of the same directory
	chain       uint32 // the next entry of the same bucket
}

// Inode is a file, which several names may share. Number 0 means none; st_ino is
// the number. Immutable after boot.
type Inode struct {
	data  source
	mode  uint32
	nlink uint32
	uid   uint32
	gid   uint32
	mtime uint32 // seconds since 1970
	chain uint32 // the next hard-linked inode of the same bucket
	ino   uint32 // of the archive, for hard links
	rdev  uint64
	dev   uint64 // of the archive
}

// NameBucket heads two hash chains: entries by directory and name, and inodes that
// have several names by the archive's device and inode number.
type NameBucket struct {
	entry, inode uint32
}

// tree is written at boot only.
var tree fileTree

type fileTree struct {
	archive []byte
	entries []Entry
	inodes  []Inode
	buckets []NameBucket // a power of two of them

	entry, inode   extent
	nEntry, nInode uint32 // the next free numbers
}

const rootEntry = 1

// builtins are the files that the Go runtime and standard library open and that
// this kernel can answer truthfully.
var builtins = [...]struct {
	path, content string
	mode, rdev    uint32
}{
	{path: "dev/null", mode: modeChar | 0o666, rdev: devNull},
	{path: "dev/zero", mode: modeChar | 0o666, rdev: devZero},
	{path: "dev/random", mode: modeChar | 0o444, rdev: devRandom},
	{path: "dev/urandom", mode: modeChar | 0o444, rdev: devUrandom},
	{path: "proc/self/maps", mode: modeRegular | 0o444, rdev: devMaps},
	{path: "sys/kernel/mm/transparent_hugepage/hpage_pmd_size", mode: modeRegular | 0o444, content: "2097152\n"},
}

// Character devices by number: major << 8 | minor (Linux admin-guide/devices).
const (
	devNull    = 1<<8 | 3
	devZero    = 1<<8 | 5
	devRandom  = 1<<8 | 8
	devUrandom = 1<<8 | 9
	devConsole = 5<<8 | 1

	devMaps = 1 // of a regular file: its content is made by readMaps
)

// initTree makes the root and the built-in files.
func initTree(c *Files) {
	tree.archive, tree.entries, tree.inodes, tree.buckets = nil, c.Entries, c.Inodes, c.Buckets
	tree.entry.init(unsafe.Pointer(unsafe.SliceData(c.Entries)), unsafe.Sizeof(Entry{}), len(c.Entries))
	tree.inode.init(unsafe.Pointer(unsafe.SliceData(c.Inodes)), unsafe.Sizeof(Inode{}), len(c.Inodes))
	tree.nEntry, tree.nInode = rootEntry, 1
	tree.link(0, source{}, tree.newInode(&member{mode: modeDir | 0o755}))
	tree.entries[rootEntry].parent = rootEntry
	for i := range builtins {
		b := &builtins[i]
		path := source{n: uint32(len(b.path)), builtin: uint32(2*i + 1)}
		if tree.add(path, &member{mode: b.mode, rdev: uint64(b.rdev)}) != "" {
			panic("linux: no room for the built-in files")
		}
		in := &tree.inodes[tree.nInode-1]
		in.data = source{n: uint32(len(b.content)), builtin: uint32(2*i + 2)}
	}
}

// add files the member m under path, a slash-separated name relative to the
// root or absolute. Missing directories on the way are made up.
func (t *fileTree) add(path source, m *member) (complaint string) {
	b := path.bytes()
	dir := uint32(rootEntry)
	for i := 0; ; {
		for i < len(b) && b[i] == '/' {
			i++
		}
		if i == len(b) {
			return t.place(0, dir, source{}, m)
		}
		j := i
		for j < len(b) && b[j] != '/' {
			j++
		}
		name := b[i:j]
		rest := j
		for rest < len(b) && b[rest] == '/' {
			rest++
		}
		switch {
		case string(name) == ".":
			i = rest
			continue
		case string(name) == "..":
			return "a name contains .."
		case len(name) > maxName:
			return "a name has too long a component"
		}
		e := t.child(dir, name)
		if rest == len(b) {
			return t.place(dir, e, path.sub(i, j), m)
		}
		if e == 0 {
			if e = t.link(dir, path.sub(i, j), t.newInode(&member{mode: modeDir | 0o755})); e == 0 {
				return "no room for more files"
			}
		} else if !t.isDir(e) {
			return "a name leads through a file that is no directory"
		}
		dir, i = e, rest
	}
}

// place gives the entry e, or a new one called name in dir if e is 0, the
// content of m.
func (t *fileTree) place(dir, e uint32, name source, m *member) (complaint string) {
	isDir := m.mode&modeType == modeDir
	if e != 0 && t.isDir(e) {
		if !isDir {
			return "a file has the name of a directory"
		}
		in := &t.inodes[t.entries[e].inode]
		in.mode, in.uid, in.gid, in.mtime = m.mode, m.uid, m.gid, m.mtime
		return ""
	}
	var in uint32
	if m.nlink > 1 && !isDir {
		in = t.linked(m)
	}
	if in == 0 {
		in = t.newInode(m)
	}
	if e == 0 {
		e = t.link(dir, name, in)
	} else if in != 0 {
		t.inodes[t.entries[e].inode].nlink--
		t.bind(e, in)
	}
	if e == 0 || in == 0 {
		return "no room for more files"
	}
	return ""
}

// linked finds the inode that m is a further name of, and gives it the data if
// m is the member that carries it.
func (t *fileTree) linked(m *member) uint32 {
	for i := t.linkBucket(m).inode; i != 0; i = t.inodes[i].chain {
		in := &t.inodes[i]
		if in.ino == m.ino && in.dev == m.dev && (in.mode^m.mode)&modeType == 0 {
			if m.size != 0 {
				in.data = source{off: m.data, n: uint32(m.size)}
			}
			return i
		}
	}
	return 0
}

// newInode makes an inode for m without a name yet; 0 if there is no room.
func (t *fileTree) newInode(m *member) uint32 {
	n := t.nInode
	if !t.inode.grow(0, n+1) {
		return 0
	}
	t.nInode++
	t.inodes[n] = Inode{
		data: source{off: m.data, n: uint32(m.size)},
		mode: m.mode, uid: m.uid, gid: m.gid, mtime: m.mtime, rdev: m.rdev, ino: m.ino, dev: m.dev,
	}
	if m.nlink > 1 && m.mode&modeType != modeDir {
		b := t.linkBucket(m)
		t.inodes[n].chain, b.inode = b.inode, n
	}
	return n
}

// link makes an entry for inode in at the end of dir; 0 if there is no room or
// in is 0.
func (t *fileTree) link(dir uint32, name source, in uint32) uint32 {
	e := t.nEntry
	if in == 0 || !t.entry.grow(0, e+1) {
		return 0
	}
	t.nEntry++
	b := t.bucket(dir, name.bytes())
	t.entries[e] = Entry{name: name, parent: dir, chain: b.entry}
	b.entry = e
	if d := &t.entries[dir]; d.first == 0 {
		d.first, d.last = e, e
	} else {
		t.entries[d.last].sibling, d.last = e, e
	}
	t.bind(e, in)
	return e
}

// bind makes in the inode of e and counts the link: of a file its names, of a
// directory its name, its "." and each child's "..".
func (t *fileTree) bind(e, in uint32) {
	t.entries[e].inode = in
	t.inodes[in].nlink++
	if t.inodes[in].mode&modeType == modeDir {
		t.inodes[in].nlink++
		t.inodes[t.entries[t.entries[e].parent].inode].nlink++
	}
}

// child returns the entry called name in dir, or 0.
func (t *fileTree) child(dir uint32, name []byte) uint32 {
	e := t.bucket(dir, name).entry
	for ; e != 0; e = t.entries[e].chain {
		if t.entries[e].parent == dir && e != rootEntry && string(t.entries[e].name.bytes()) == string(name) {
			break
		}
	}
	return e
}

func (t *fileTree) modeOf(e uint32) uint32 { return t.inodes[t.entries[e].inode].mode }

func (t *fileTree) isDir(e uint32) bool { return t.modeOf(e)&modeType == modeDir }

// bucket hashes by FNV-1a, a directory's number first.
func (t *fileTree) bucket(dir uint32, name []byte) *NameBucket {
	h := (2166136261 ^ dir) * 16777619
	for _, c := range name {
		h = (h ^ uint32(c)) * 16777619
	}
	return t.mix(h)
}

func (t *fileTree) linkBucket(m *member) *NameBucket {
	return t.mix(m.ino ^ uint32(m.dev)*0x9e3779b1)
}

func (t *fileTree) mix(h uint32) *NameBucket {
	h = (h ^ h>>16) * 0x85ebca6b // murmur3's finalizer, first half
	return &t.buckets[(h^h>>13)&uint32(len(t.buckets)-1)]
}

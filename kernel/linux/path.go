package linux

// Path lookup (path_resolution(7)) in the tree, without recursion: the rests of
// the paths that symbolic links interrupt wait on a small stack.

const maxLinks = 40 // symbolic links followed in one lookup, as on Linux

// walk looks path up, starting at the directory dir unless path is absolute. A
// symbolic link at the very end is followed if follow is set, else returned. A
// missing last component gives entry 0; other failures are ENOENT, ENOTDIR,
// ENAMETOOLONG and ELOOP.
func (t *fileTree) walk(dir uint32, path []byte, follow bool) (entry uint32, errno int64) {
	if len(path) == 0 {
		return 0, enoent
	}
	var rests [maxLinks][]byte // what comes behind the links being followed; none is empty
	depth, links := 0, 0
	at := dir
	for {
		if len(path) > 0 && path[0] == '/' { // the path, or a link's target, is absolute
			at, path = rootEntry, afterSlashes(path)
		}
		if len(path) == 0 {
			if depth == 0 {
				return at, 0
			}
			depth--
			path = rests[depth]
		}
		n := 0
		for n < len(path) && path[n] != '/' {
			n++
		}
		name, rest := path[:n], afterSlashes(path[n:])
		slash := n < len(path) // what is before a slash must be a directory
		last := len(rest) == 0 && depth == 0

		next, errno := t.step(at, name)
		if errno != 0 {
			return 0, errno
		}
		if next == 0 {
			if last && !slash {
				return 0, 0
			}
			return 0, enoent
		}
		switch t.modeOf(next) & modeType {
		case modeDir:
			at, path = next, rest
		case modeLink:
			if last && !slash && !follow {
				return next, 0
			}
			if links++; links > maxLinks {
				return 0, eloop
			}
			if slash && len(rest) == 0 {
				rest = dot
			}
			if len(rest) != 0 {
				rests[depth] = rest
				depth++
			}
			path = t.target(next)
		default:
			if slash || !last {
				return 0, enotdir
			}
			return next, 0
		}
	}
}

// step goes one component from dir.
func (t *fileTree) step(dir uint32, name []byte) (entry uint32, errno int64) {
	switch {
	case !t.isDir(dir):
		return 0, enotdir
	case string(name) == ".":
		return dir, 0
	case string(name) == "..":
		return t.entries[dir].parent, 0
	case len(name) > maxName:
		return 0, enametoolong
	}
	return t.child(dir, name), 0
}

// target is the path in the symbolic link e.
func (t *fileTree) target(e uint32) []byte { return t.inodes[t.entries[e].inode].data.bytes() }

func afterSlashes(path []byte) []byte {
	i := 0
	for i < len(path) && path[i] == '/' {
		i++
	}
	return path[i:]
}

// dot stands for the rest of a path that ends in a slash.
var dot = []byte{'.'}

// pathOf writes the absolute path of the directory e into the end of b and
// returns it; empty if it does not fit.
func (t *fileTree) pathOf(e uint32, b []byte) []byte {
	i := len(b)
	if e == rootEntry {
		if i == 0 {
			return nil
		}
		i--
		b[i] = '/'
	}
	for ; e != rootEntry; e = t.entries[e].parent {
		name := t.entries[e].name.bytes()
		if i < len(name)+1 {
			return nil
		}
		i -= len(name)
		copy(b[i:], name)
		i--
		b[i] = '/'
	}
	return b[i:]
}

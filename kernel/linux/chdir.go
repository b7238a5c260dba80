package linux

// SetDirectory makes the directory path, from the root, the current one. It
// reports whether there is such a directory.
//
// Preconditions: boot, after SetArchive.
func SetDirectory(path []byte) bool {
	e, errno := tree.walk(rootEntry, path, true)
	return errno == 0 && e != 0 && changeDir(e) == 0
}

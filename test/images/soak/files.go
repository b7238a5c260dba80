package main

import (
	"hash/crc32"
	"io/fs"
	"os"
	"time"
)

// filesRoot is the folder of the standard archive.
const filesRoot = "/workload"

// files reads the files of the archive, if there is one: each is the same every time.
func files(w *worker) func() {
	var names []string
	sums := map[string]uint32{}
	fs.WalkDir(os.DirFS(filesRoot), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, filesRoot+"/"+path)
		}
		return nil
	})
	if len(names) == 0 {
		return func() {
			w.paused.Store(true)
			time.Sleep(10 * time.Millisecond)
		}
	}
	return func() {
		name := names[w.IntN(len(names))]
		b, err := os.ReadFile(name)
		must(err, "file")
		info, err := os.Stat(name)
		must(err, "stat")
		if int64(len(b)) != info.Size() {
			bad("file: %s has %d bytes, read %d", name, info.Size(), len(b))
		}
		sum := crc32.ChecksumIEEE(b)
		if old, ok := sums[name]; ok && old != sum {
			bad("file: checksum of %s was %#x, is %#x", name, old, sum)
		}
		sums[name] = sum
	}
}

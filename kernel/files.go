package kernel

import (
	"pdac/kernel/klog"
	"pdac/kernel/linux"
)

// Limits of the file tables: address space, memory comes as they fill.
const (
	maxDescriptors = 1 << 16
	maxPipes       = 1 << 12
	maxWatched     = 1 << 16
	maxEntries     = 1 << 18

	itemBuckets = 1 << 10 // of a hash table that has all of its memory at boot
)

// nameBuckets returns how many chains of names an archive's files want: one for
// each, and for the kernel's own files and the folders that no member names.
func nameBuckets(archive []byte) int {
	return powerOfTwo(min(64+linux.Members(archive), maxEntries))
}

// initFiles gives the Linux calls their file tables, and the program's files.
func initFiles() {
	linux.ConsoleOut = hardware.Output
	linux.InitFiles(&linux.Files{
		NCPU:        hardware.NCPU,
		Populate:    hardware.Back,
		CPUs:        reserve[linux.CPUState](hardware.NCPU),
		Descriptors: reserve[linux.Descriptor](maxDescriptors),
		Used:        reserve[uint64](maxDescriptors / 64),
		Open:        reserve[linux.File](maxDescriptors),
		OpenNext:    reserve[uint32](maxDescriptors),
		Pipes:       reserve[linux.Pipe](maxPipes),
		PipesNext:   reserve[uint32](maxPipes),
		PipeData:    reserve[byte](maxPipes * linux.PipeSize),
		Items:       reserve[linux.Item](maxWatched),
		ItemsNext:   reserve[uint32](maxWatched),
		ItemBuckets: table[uint32](itemBuckets),
		Entries:     reserve[linux.Entry](maxEntries),
		Inodes:      reserve[linux.Inode](maxEntries),
		Buckets:     table[linux.NameBucket](nameBuckets(hardware.Files)),
	})
	if len(hardware.Files) > 0 {
		linux.SetArchive(hardware.Files)
	}
	if path := options.bytes(options.cwd); len(path) > 0 && !linux.SetDirectory(path) {
		klog.New(klog.Warn).Str("command line: cwd=").Chars(path).Str(": expected a folder of the program's files").End()
	}
}

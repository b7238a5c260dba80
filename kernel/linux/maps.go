package linux

import (
	"unsafe"

	"pdac/kernel/vm"
)

// /proc/self/maps (proc(5)): the program's areas, a line each, made when they are
// read. An area has neither file nor name; the image itself is in none.
//
// A position is the address to look for the next area from, in pages, and how
// much of its line has been read: address >> 12 << 8 | bytes. Areas may change
// between two reads, as on Linux.

const (
	mapsLine = "000000000000-000000000000 ---p 00000000 00:00 0 \n"
	mapsAddr = 12 // digits: addresses have 47 bits
)

// formatArea makes the line of an area.
func formatArea(line *[len(mapsLine)]byte, a *vm.Area) {
	copy(line[:], mapsLine)
	const hex = "0123456789abcdef"
	for i := range mapsAddr {
		shift := 4 * (mapsAddr - 1 - i)
		line[i] = hex[a.Start>>shift&15]
		line[mapsAddr+1+i] = hex[a.End>>shift&15]
	}
	for i := range 3 {
		if a.Prot&[...]uint32{vm.ProtRead, vm.ProtWrite, vm.ProtExec}[i] != 0 {
			line[2*mapsAddr+2+i] = "rwx"[i]
		}
	}
}

// readMaps copies up to n bytes from the position on to user memory at p.
func (f *File) readMaps(cpu int, p, n uint64) int64 {
	if r := ask(cpu, FamilyFiles, RightRead); r != 0 {
		return r
	}
	buf := perCPU[cpu].bounce[:min(n, maxPath)]
	for {
		start := f.word.Load()
		from, done := start>>8<<12, int(start&0xff)
		used := 0
		for used < len(buf) {
			a, ok := vm.Walk(from)
			if !ok {
				break
			}
			var line [len(mapsLine)]byte
			formatArea(&line, &a)
			got := copy(buf[used:], line[done:])
			used += got
			if done += got; done < len(line) {
				from = a.Start
				break
			}
			from, done = a.End, 0
		}
		if used != 0 && !copyOut(p, unsafe.Pointer(&buf[0]), uint64(used)) {
			return efault
		}
		if f.word.CompareAndSwap(start, from>>12<<8|uint64(done)) {
			return int64(used)
		}
	}
}

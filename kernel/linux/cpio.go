package linux

import (
	"math/bits"

	"pdac/kernel/klog"
)

// The "newc" archive format, as cpio(5) and the Linux documentation
// (early-userspace/buffer-format) give it: members of a 110-byte header in
// ASCII hexadecimal, the name, and the data, the last two padded to 4 bytes;
// the member "TRAILER!!!" ends it.
const (
	memberSize  = 110
	magicPlain  = "070701"
	magicSummed = "070702" // the same with a checksum: the sum of the data's bytes
	trailerName = "TRAILER!!!"

	maxName = 255  // bytes of one path component, as on Linux
	maxPath = 4096 // bytes of a path with its NUL, as on Linux
)

// A member is one header with the name and data that follow it. Offsets count
// from the start of the archive.
type member struct {
	ino, mode, uid, gid, nlink, mtime uint32
	dev, rdev                         uint64
	check                             uint32
	name, nameLen                     uint64 // without its NUL
	data, size                        uint64
	next                              uint64 // offset of the next header
}

// Fields of a header that decide where the others' bytes lie.
const (
	fieldMode    = 1
	fieldSize    = 6
	fieldNameLen = 11
	fields       = 13
)

// layOut finds the parts of the member at off, and its type. A non-empty
// complaint says that nothing can be read from here on.
func layOut(b []byte, off uint64, m *member) (complaint string) {
	if off > uint64(len(b)) || uint64(len(b))-off < memberSize {
		return "truncated before its trailer"
	}
	h := b[off : off+memberSize]
	if string(h[:6]) != magicPlain && string(h[:6]) != magicSummed {
		return "bad magic"
	}
	mode, ok1 := field(h, fieldMode)
	size, ok2 := field(h, fieldSize)
	nameLen, ok3 := field(h, fieldNameLen)
	if !ok1 || !ok2 || !ok3 {
		return notHex
	}
	// Sums of a few 32-bit values cannot overflow 64 bits.
	name := off + memberSize
	data := align4(name + uint64(nameLen))
	*m = member{mode: mode, name: name, data: data, size: uint64(size), next: align4(data + uint64(size))}
	if nameLen == 0 || name+uint64(nameLen) > uint64(len(b)) {
		return "a name is truncated"
	}
	text := b[name : name+uint64(nameLen)-1]
	n := 0
	for n < len(text) && text[n] != 0 {
		n++
	}
	m.nameLen = uint64(n)
	if !m.trailer(b) && data+uint64(size) > uint64(len(b)) {
		return "the data of its last member is truncated"
	}
	return ""
}

// decodeMember reads all of the member at off, as layOut does.
func decodeMember(b []byte, off uint64, m *member) (complaint string) {
	if complaint = layOut(b, off, m); complaint != "" {
		return complaint
	}
	var f [fields]uint32
	for i := range f {
		v, ok := field(b[off:off+memberSize], i)
		if !ok {
			return notHex
		}
		f[i] = v
	}
	m.ino, m.uid, m.gid, m.nlink, m.mtime = f[0], f[2], f[3], f[4], f[5]
	m.dev, m.rdev, m.check = device(f[7], f[8]), device(f[9], f[10]), f[12]
	return ""
}

const notHex = "a header field is not hexadecimal"

// field reads field i of a header.
func field(h []byte, i int) (v uint32, ok bool) { return hex8(h[6+8*i:]) }

// trailer says whether m ends the archive.
func (m *member) trailer(b []byte) bool { return string(b[m.name:m.name+m.nameLen]) == trailerName }

// SetArchive adds the files of a newc archive to the tree, in the order of the
// archive: a later member of the same name replaces an earlier one. What is
// unsound is left out, and one warning says how much and why first. The bytes
// must stay where they are and unchanged for ever.
//
// Preconditions: boot, once, after InitFiles and before any file is opened.
func SetArchive(b []byte) {
	tree.archive = b
	var bad faults
	var m member
	kept, off := uint64(0), uint64(0)
	for {
		if why := decodeMember(b, off, &m); why != "" {
			bad.add(why, off)
			break
		}
		if m.trailer(b) {
			break
		}
		if why := addMember(&m); why == "" {
			kept++
		} else {
			bad.add(why, off)
		}
		off = m.next
	}
	if bad.n != 0 {
		klog.New(klog.Warn).Str("cpio: ").Str(bad.why).Str(" (offset ").Dec(bad.off).Str("); left out: ").
			Dec(bad.n).Str(", kept: ").Dec(kept).End()
	}
}

// Members returns how many members SetArchive will look at, at most.
func Members(b []byte) (n int) {
	var m member
	for off := uint64(0); ; off = m.next {
		if layOut(b, off, &m) != "" || m.trailer(b) {
			return n
		}
		n++
	}
}

// FileAt returns the member at off of a newc archive, if it is a regular file: name and data, which alias b, else no name. next is
// where the following one begins, 0 if there is none or it cannot be found. It is for those who look for a file before SetArchive.
func FileAt(b []byte, off uint64) (name, data []byte, next uint64) {
	var m member
	if layOut(b, off, &m) != "" || m.trailer(b) {
		return nil, nil, 0
	}
	if m.mode&modeType != modeRegular {
		return nil, nil, m.next
	}
	return b[m.name : m.name+m.nameLen], b[m.data : m.data+m.size], m.next
}

// faults counts what was wrong and remembers the first.
type faults struct {
	why string
	off uint64
	n   uint64
}

func (f *faults) add(why string, off uint64) {
	if f.n == 0 {
		f.why, f.off = why, off
	}
	f.n++
}

func addMember(m *member) (complaint string) {
	if m.nameLen >= maxPath {
		return "a name is too long"
	}
	switch m.mode & modeType {
	case modeDir:
		m.size = 0
	case modeRegular, modeChar, modeBlock, modeFIFO, modeSocket:
	case modeLink:
		if m.size == 0 || m.size >= maxPath {
			return "a symbolic link has a target of a bad length"
		}
	default:
		return "a member has an unknown type"
	}
	data := tree.archive[m.data : m.data+m.size]
	if string(tree.archive[m.name-memberSize:][:6]) == magicSummed && sum(data) != m.check {
		return "a member has a bad checksum"
	}
	return tree.add(source{off: m.name, n: uint32(m.nameLen)}, m)
}

func sum(b []byte) (s uint32) {
	for _, c := range b {
		s += uint32(c)
	}
	return s
}

// hex8 reads 8 hexadecimal digits, all at once: a boot reads a hundred for each member of a large archive, some times over.
func hex8(b []byte) (v uint32, ok bool) {
	const every = 0x0101010101010101 // a factor in each byte
	b = b[:8]
	x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
	// Adding 0x80-c sets the top bit of the bytes that are c or more, and carries nothing if the bytes are ASCII.
	small := x | 0x20*every
	digit := (x + (0x80-'0')*every) &^ (x + (0x80-'9'-1)*every)
	letter := (small + (0x80-'a')*every) &^ (small + (0x80-'f'-1)*every)
	if x&(0x80*every) != 0 || (digit|letter)&(0x80*every) != 0x80*every {
		return 0, false
	}
	x = bits.ReverseBytes64(x&(0xf*every) + x>>6&every*9) // the first digit to the top; letters have bit 6
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return uint32(x | x>>16), true
}

func align4(n uint64) uint64 { return (n + 3) &^ 3 }

// device packs a device number as the stat system calls show it (Linux
// include/linux/kdev_t.h, new_encode_dev).
func device(major, minor uint32) uint64 {
	return uint64(minor&0xff) | uint64(major)<<8&0xfff00 | uint64(minor&^0xff)<<12
}

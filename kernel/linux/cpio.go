package linux

import "pdac/kernel/klog"

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

// decodeMember reads the member at off. A non-empty complaint says that nothing
// can be read from here on.
func decodeMember(b []byte, off uint64, m *member) (complaint string) {
	if off > uint64(len(b)) || uint64(len(b))-off < memberSize {
		return "truncated before its trailer"
	}
	h := b[off : off+memberSize]
	if string(h[:6]) != magicPlain && string(h[:6]) != magicSummed {
		return "bad magic"
	}
	var f [13]uint32
	for i := range f {
		v, ok := hex8(h[6+8*i:])
		if !ok {
			return "a header field is not hexadecimal"
		}
		f[i] = v
	}
	*m = member{
		ino: f[0], mode: f[1], uid: f[2], gid: f[3], nlink: f[4], mtime: f[5],
		dev: device(f[7], f[8]), rdev: device(f[9], f[10]), check: f[12],
	}
	// Sums of a few 32-bit values cannot overflow 64 bits.
	m.name = off + memberSize
	m.data = align4(m.name + uint64(f[11]))
	m.size = uint64(f[6])
	m.next = align4(m.data + m.size)
	if f[11] == 0 || m.name+uint64(f[11]) > uint64(len(b)) {
		return "a name is truncated"
	}
	for m.nameLen < uint64(f[11])-1 && b[m.name+m.nameLen] != 0 {
		m.nameLen++
	}
	if string(b[m.name:m.name+m.nameLen]) == trailerName {
		return ""
	}
	if m.data+m.size > uint64(len(b)) {
		return "the data of its last member is truncated"
	}
	return ""
}

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
		if string(b[m.name:m.name+m.nameLen]) == trailerName {
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

// Members returns how many members SetArchive will look at.
func Members(b []byte) (n int) {
	var m member
	for off := uint64(0); ; off = m.next {
		if decodeMember(b, off, &m) != "" || string(b[m.name:m.name+m.nameLen]) == trailerName {
			return n
		}
		n++
	}
}

// FileAt returns the member at off of a newc archive, if it is a regular file: name and data, which alias b, else no name. next is
// where the following one begins, 0 if there is none or it cannot be found. It is for those who look for a file before SetArchive.
func FileAt(b []byte, off uint64) (name, data []byte, next uint64) {
	var m member
	if decodeMember(b, off, &m) != "" || string(b[m.name:m.name+m.nameLen]) == trailerName {
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

// hex8 reads 8 hexadecimal digits.
func hex8(b []byte) (v uint32, ok bool) {
	for _, c := range b[:8] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | uint32(c)
	}
	return v, true
}

func align4(n uint64) uint64 { return (n + 3) &^ 3 }

// device packs a device number as the stat system calls show it (Linux
// include/linux/kdev_t.h, new_encode_dev).
func device(major, minor uint32) uint64 {
	return uint64(minor&0xff) | uint64(major)<<8&0xfff00 | uint64(minor&^0xff)<<12
}

package crash

// The reader of Go's pc-line table, the one that every Go image carries in memory for its own tracebacks, so that a dump has
// names even in an image linked with -s -w.
//
// Source: cmd/link/internal/ld/pcln.go (the writer), runtime/symtab.go and symtabinl.go (the reader), Go 1.26; magic and header
// are those of Go 1.20 and later. All integers are little endian. From the start of the table:
//
//	 0 magic u32   4 zero u16   6 instruction quantum u8 (1)   7 pointer size u8 (8)
//	 8 functions u64   16 files u64   24 unused
//	32 offset of function names, 40 of file numbers, 48 of file names, 56 of pc-value programs, 64 of functions (u64 each)
//
// The functions part begins with {entry, record} pairs of u32 sorted by entry, one for each function and a last entry that ends
// the last function; entries are relative to the start of text, records to the part. A record is
//
//	 0 entry   4 name   8 args   12 deferreturn   16 pcsp   20 pcfile   24 pcln   28 npcdata   32 cu   36 start line
//	40 funcID u8   41 flags u8   42 zero   43 nfuncdata u8   44 pcdata [npcdata]u32, funcdata [nfuncdata]u32
//
// A pc-value program is a list of varint pairs {zigzag delta of the value, delta of the pc}, from value -1 at the entry, each
// value holding below its pc; a zero value delta ends it, except in the first pair.
//
// A crash may well be due to memory overwritten, so nothing read here is believed: every index is checked, and one that is out
// of bounds reads as zero.

const (
	magic      = 0xfffffff1
	recordSize = 44
	maxName    = 1024 // bytes; a longer "name" is garbage

	pcdataInlTree   = 2 // internal/abi.PCDATA_InlTreeIndex
	funcdataInlTree = 3 // internal/abi.FUNCDATA_InlTree
	flagSPWrite     = 2 // internal/abi.FuncFlagSPWrite
	inlinedCallSize = 16
)

// Table is a pc-line table. The zero Table knows no function.
type Table struct {
	text   uint64 // address of the first instruction
	n      uint64 // functions
	names  []byte
	cus    []byte
	files  []byte
	progs  []byte
	funcs  []byte
	inline []byte // go:func.*, where the inlining trees are; may be empty
}

// Symbol is what the table says of a PC. The slices point into the table.
type Symbol struct {
	Func    []byte // innermost function
	Inlined bool   // Func was inlined, directly or not, into Outer
	Outer   []byte // the function of the call frame
	File    []byte // of Func, empty if unknown
	Line    uint32 // of Func, 0 if unknown
	Entry   uint64 // of Outer
}

// Open checks the header of the table in b, whose functions begin at address text; inline is the offset in b of the inlining
// trees, or 0 if that is not known. It returns false if b is not a table of a known version.
func Open(b []byte, text, inline uint64) (t Table, ok bool) {
	if u32(b, 0) != magic || u32(b, 4) != 0x08010000 {
		return t, false
	}
	t = Table{text: text, n: u64(b, 8), names: from(b, u64(b, 32)), cus: from(b, u64(b, 40)), files: from(b, u64(b, 48)),
		progs: from(b, u64(b, 56)), funcs: from(b, u64(b, 64))}
	if inline != 0 {
		t.inline = from(b, inline)
	}
	return t, t.n < uint64(len(t.funcs))/8
}

// Lookup finds the function that pc is in. For a return address ask for pc-1, which is in the calling instruction.
func (t *Table) Lookup(pc uint64) (s Symbol, ok bool) {
	rec, ok := t.record(pc)
	if !ok {
		return s, false
	}
	s.Entry = t.text + uint64(u32(rec, 0))
	s.Outer = cstring(t.names, uint64(u32(rec, 4)))
	s.Func = s.Outer
	off := pc - s.Entry
	if npcdata := uint64(u32(rec, 28)); npcdata > pcdataInlTree && npcdata < uint64(len(rec)) && rec[43] > funcdataInlTree {
		tree := u32(rec, recordSize+4*npcdata+4*funcdataInlTree)
		i, found := t.value(u32(rec, recordSize+4*pcdataInlTree), off)
		if found && i >= 0 && tree != ^uint32(0) {
			call := from(t.inline, uint64(tree)+uint64(i)*inlinedCallSize)
			if name := cstring(t.names, uint64(u32(call, 4))); len(name) > 0 {
				s.Func, s.Inlined = name, true
			}
		}
	}
	file, okFile := t.value(u32(rec, 20), off)
	line, okLine := t.value(u32(rec, 24), off)
	if okFile && okLine && file >= 0 && line >= 0 {
		if name := u32(t.cus, 4*(uint64(u32(rec, 32))+uint64(file))); name != ^uint32(0) {
			s.File = cstring(t.files, uint64(name))
			s.Line = uint32(line)
		}
	}
	return s, true
}

// FrameSize returns how many bytes the function at pc has pushed there: its return address is at RSP plus that. It returns false
// if the table does not say, as for assembly that moves RSP about.
func (t *Table) FrameSize(pc uint64) (n uint64, ok bool) {
	rec, ok := t.record(pc)
	if !ok {
		return 0, false
	}
	v, ok := t.value(u32(rec, 16), pc-t.text-uint64(u32(rec, 0)))
	return uint64(uint32(v)), ok && v >= 0 && rec[41]&flagSPWrite == 0
}

// record returns the record of the function that pc is in, at least recordSize bytes.
func (t *Table) record(pc uint64) ([]byte, bool) {
	off := pc - t.text
	if t.n == 0 || pc < t.text || off >= uint64(u32(t.funcs, 8*t.n)) || off < uint64(u32(t.funcs, 0)) {
		return nil, false
	}
	lo, hi := uint64(0), t.n // the entry of lo is at or below off, that of hi is above
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; uint64(u32(t.funcs, 8*mid)) <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	rec := from(t.funcs, uint64(u32(t.funcs, 8*lo+4)))
	return rec, len(rec) >= recordSize && uint64(u32(rec, 0)) <= off
}

// value runs the pc-value program prog up to the offset off from the function's entry.
func (t *Table) value(prog uint32, off uint64) (v int32, ok bool) {
	if prog == 0 {
		return 0, false
	}
	v = -1
	p := from(t.progs, uint64(prog))
	for pc, first := uint64(0), true; ; first = false {
		var delta, step uint32
		if delta, p, ok = uvarint(p); !ok || delta == 0 && !first {
			return 0, false
		}
		if step, p, ok = uvarint(p); !ok {
			return 0, false
		}
		v += int32(-(delta & 1) ^ (delta >> 1))
		if pc += uint64(step); off < pc {
			return v, true
		}
	}
}

// uvarint decodes a varint of at most 5 bytes and returns what follows it.
func uvarint(p []byte) (v uint32, rest []byte, ok bool) {
	for i := 0; i < 5 && i < len(p); i++ {
		v |= uint32(p[i]&0x7f) << (7 * i)
		if p[i] < 0x80 {
			return v, p[i+1:], true
		}
	}
	return 0, nil, false
}

// from returns what follows offset i in b, which may be nothing.
func from(b []byte, i uint64) []byte {
	if i > uint64(len(b)) {
		return nil
	}
	return b[i:]
}

func u32(b []byte, i uint64) uint32 {
	if b = from(b, i); len(b) < 4 {
		return 0
	}
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func u64(b []byte, i uint64) uint64 { return uint64(u32(b, i)) | uint64(u32(b, i+4))<<32 }

// cstring returns the bytes from offset i up to a zero byte, or none if that is not near.
func cstring(b []byte, i uint64) []byte {
	b = from(b, i)
	for n := 0; n < len(b) && n < maxName; n++ {
		if b[n] == 0 {
			return b[:n]
		}
	}
	return nil
}

package acpi

// MaxLocalities is how many latency and bandwidth structures, and how many caches, an [HMAT] keeps.
const MaxLocalities = 64

// HMAT is the Heterogeneous Memory Attribute Table (ACPI 6.4, 5.2.27): what an access from an initiator's domain (CPUs)
// to a target's (memory) costs. It is a view of firmware memory.
type HMAT struct {
	NAttributes int
	NLocalities int
	NCaches     int
	Attributes  [MaxLocalities]Attributes
	Localities  [MaxLocalities]Locality
	Caches      [MaxLocalities]SideCache
}

// Attributes are a Memory Proximity Domain Attributes structure (ACPI 6.4, 5.2.27.3): which CPUs a memory is attached to.
type Attributes struct {
	Memory    uint32 // domain
	Initiator uint32 // domain, if HasInitiator
	// HasInitiator is false for memory that is attached to no CPUs.
	HasInitiator bool
}

// SideCache is a Memory Side Cache Information structure (ACPI 6.4, 5.2.27.5).
type SideCache struct {
	Size     uint64 // bytes
	Memory   uint32 // domain that it caches
	Level    uint8  // of Levels, 1 is the nearest to the memory
	Levels   uint8
	LineSize uint16 // bytes
}

// DataType is what the values of a [Locality] measure (ACPI 6.4, 5.2.27.4, Data Type).
type DataType uint8

const (
	AccessLatency DataType = iota
	ReadLatency
	WriteLatency
	AccessBandwidth
	ReadBandwidth
	WriteBandwidth
)

// Bandwidth reports whether values are in MB/s; the others are in picoseconds.
func (d DataType) Bandwidth() bool { return d >= AccessBandwidth }

// Locality is a System Locality Latency and Bandwidth Information structure (ACPI 6.4, 5.2.27.4): a matrix of initiators
// and targets.
type Locality struct {
	Type DataType
	// Hierarchy is 0 for memory, 1 to 3 for a level of its side cache.
	Hierarchy uint8
	// Special marks values that hold only for transfers of a minimal size or that are not sequential (Flags bits 4 and 5).
	Special    bool
	Initiators int
	Targets    int
	base       uint64
	lists      []byte // domains of the initiators, of the targets, then the entries, row by row
}

// Initiator returns the domain of row i.
func (l *Locality) Initiator(i int) uint32 { return le32(l.lists, 4*i) }

// Target returns the domain of column j.
func (l *Locality) Target(j int) uint32 { return le32(l.lists, 4*(l.Initiators+j)) }

// Value returns the latency in picoseconds or the bandwidth in MB/s from initiator i to target j. It returns false where
// the table has none (0), has no path (0xffff), or has more than 64 bits hold.
func (l *Locality) Value(i, j int) (uint64, bool) {
	e := uint64(le16(l.lists, 4*(l.Initiators+l.Targets)+2*(i*l.Targets+j)))
	if e == 0 || e == 0xffff || e > ^uint64(0)/l.base {
		return 0, false
	}
	return e * l.base, true
}

var sigHMAT = Signature{'H', 'M', 'A', 'T'}

// hmatRevision is the only one whose units are certain: revision 1 (ACPI 6.2) left them to the reader.
const hmatRevision = 2

// Structure types and their least sizes (ACPI 6.4, 5.2.27.2).
const (
	hmatAttributes = 0
	hmatLocality   = 1
	hmatSideCache  = 2

	hmatHeaderSize     = 8
	hmatAttributesSize = 40
	hmatLocalitySize   = 32
	hmatSideCacheSize  = 32
)

// ParseHMAT fills out from the table in b and reports whether it is one; what is wrong inside is left out and reported.
func ParseHMAT(b []byte, out *HMAT, r *Report) bool {
	*out = HMAT{}
	b = body(b, sigHMAT, 40, r)
	if b == nil {
		return false
	}
	if b[8] != hmatRevision {
		r.Add(sigHMAT, HMATRevision, 8, uint64(b[8]), hmatRevision)
		return false
	}
	for off := 40; off < len(b); {
		left := uint64(len(b) - off)
		// Type (2 bytes), reserved (2), length (4). A structure is never shorter than these.
		n := uint64(0)
		if left >= hmatHeaderSize {
			n = uint64(le32(b, off+4))
		}
		if n < hmatHeaderSize || n > left {
			r.Add(sigHMAT, HMATStructure, off, n, left)
			return true
		}
		out.structure(b[off:off+int(n)], off, r)
		off += int(n)
	}
	return true
}

func (h *HMAT) structure(e []byte, off int, r *Report) {
	switch typ := le16(e, 0); typ {
	case hmatAttributes:
		if hmatFits(e, off, hmatAttributesSize, h.NAttributes, r) {
			h.Attributes[h.NAttributes] = Attributes{Memory: le32(e, 16), Initiator: le32(e, 12), HasInitiator: le16(e, 8)&1 != 0}
			h.NAttributes++
		}
	case hmatSideCache:
		if hmatFits(e, off, hmatSideCacheSize, h.NCaches, r) {
			attr := le32(e, 24)
			h.Caches[h.NCaches] = SideCache{Memory: le32(e, 8), Size: le64(e, 16),
				Levels: uint8(attr & 15), Level: uint8(attr >> 4 & 15), LineSize: uint16(attr >> 16)}
			h.NCaches++
		}
	case hmatLocality:
		if hmatFits(e, off, hmatLocalitySize, h.NLocalities, r) {
			h.locality(e, off, r)
		}
	}
}

// hmatFits reports whether the structure e has its least size, and room beside the n of its kind.
func hmatFits(e []byte, off, min, n int, r *Report) bool {
	typ := uint64(le16(e, 0))
	if len(e) < min {
		r.Add(sigHMAT, EntryShort, off, typ, uint64(len(e)), uint64(min))
		return false
	}
	if n == MaxLocalities {
		r.Add(sigHMAT, TooMany, off, typ, MaxLocalities)
		return false
	}
	return true
}

func (h *HMAT) locality(e []byte, off int, r *Report) {
	i, t, base := uint64(le32(e, 12)), uint64(le32(e, 16)), le64(e, 24)
	// The counts are bounded by the length before they are multiplied, so that nothing overflows.
	n := uint64(len(e) - hmatLocalitySize)
	if i > n/4 || t > n/4 || 4*(i+t)+2*i*t > n {
		r.Add(sigHMAT, HMATSize, off, uint64(len(e)), i, t)
		return
	}
	if base == 0 {
		r.Add(sigHMAT, HMATUnit, off)
		return
	}
	flags, typ := e[8], DataType(e[9])
	if typ > WriteBandwidth {
		return // of a later edition
	}
	h.Localities[h.NLocalities] = Locality{Type: typ, Hierarchy: flags & 15, Special: flags&0x30 != 0,
		Initiators: int(i), Targets: int(t), base: base, lists: e[hmatLocalitySize:]}
	h.NLocalities++
}

package acpi

// MaxECAM is how many configuration spaces an [MCFG] keeps.
const MaxECAM = 16

// MCFG says where PCI Express configuration space is mapped (PCI Firmware 3.3, 4.1.2).
type MCFG struct {
	N    int
	ECAM [MaxECAM]ECAM
}

// ECAM is the configuration space of a range of buses: function f of device d on bus b is at
// Base + b<<20 + d<<15 + f<<12.
type ECAM struct {
	Base    uint64 // physical, of bus 0 even where First is another
	Segment uint16
	First   uint8
	Last    uint8
}

var sigMCFG = Signature{'M', 'C', 'F', 'G'}

// ParseMCFG fills out from the table in b and reports whether it is one; what is wrong inside is left out and reported.
func ParseMCFG(b []byte, out *MCFG, r *Report) bool {
	*out = MCFG{}
	const size = 16
	b = body(b, sigMCFG, 44, r)
	if b == nil {
		return false
	}
	off := 44
	for ; off+size <= len(b); off += size {
		e := b[off : off+size]
		c := ECAM{Base: le64(e, 0), Segment: le16(e, 8), First: e[10], Last: e[11]}
		switch {
		case c.First > c.Last:
			r.Add(sigMCFG, MCFGBuses, off, uint64(c.First), uint64(c.Last))
		case out.N == MaxECAM:
			r.Add(sigMCFG, TooMany, off, 0, MaxECAM)
		default:
			out.ECAM[out.N] = c
			out.N++
		}
	}
	if off != len(b) {
		r.Add(sigMCFG, RootTail, off, uint64(len(b)-off), size)
	}
	return true
}

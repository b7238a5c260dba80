package acpi

// MaxMemory is how many memory ranges an [SRAT] keeps.
const MaxMemory = 512

// SRAT is the System Resource Affinity Table (ACPI 5.2.16): which proximity domain each CPU and each range of memory is
// in. Disabled entries, which some firmware has thousands of bytes of, are left out.
type SRAT struct {
	NCPUs   int
	NMemory int
	CPUs    [MaxCPUs]ProcessorAffinity
	Memory  [MaxMemory]MemoryAffinity
}

// ProcessorAffinity is an enabled CPU: Processor Local APIC Affinity (ACPI 5.2.16.1) or x2APIC Affinity (5.2.16.3).
type ProcessorAffinity struct {
	APICID uint32
	Domain uint32
}

// MemoryAffinity is an enabled, volatile range of memory (ACPI 5.2.16.2).
type MemoryAffinity struct {
	Base   uint64 // physical
	Limit  uint64 // first address after it
	Domain uint32
	// Hotplug: memory may be plugged in here later. Some is there at boot on some machines, so that the memory map has to
	// tell what is; and such a range gives way to one that is not hot-pluggable.
	Hotplug bool
}

var sigSRAT = Signature{'S', 'R', 'A', 'T'}

// Structure types (ACPI 5.2.16). The others describe what is not ours: ARM's CPUs and translators, devices that access
// memory (generic initiators).
const (
	sratLocalAPIC = 0
	sratMemory    = 1
	sratX2APIC    = 2
)

// ParseSRAT fills out from the table in b and reports whether it is one; what is wrong inside is left out and reported.
func ParseSRAT(b []byte, out *SRAT, r *Report) bool {
	*out = SRAT{}
	b = body(b, sigSRAT, 48, r)
	if b == nil {
		return false
	}
	// In revision 1 (ACPI 2.0) a domain had 8 bits, and what follows them was reserved: its value means nothing.
	mask := uint32(0xffffffff)
	if b[8] < 2 {
		mask = 0xff
	}
	w := walker{b: b, off: 48, sig: sigSRAT, r: r}
	for {
		e, ok := w.next()
		if !ok {
			return true
		}
		switch e[0] {
		case sratLocalAPIC:
			if w.fits(e, 16) && le32(e, 4)&1 != 0 {
				high := uint32(e[9]) | uint32(e[10])<<8 | uint32(e[11])<<16
				out.cpu(ProcessorAffinity{APICID: uint32(e[3]), Domain: (uint32(e[2]) | high<<8) & mask}, &w)
			}
		case sratX2APIC:
			if w.fits(e, 24) && le32(e, 12)&1 != 0 {
				out.cpu(ProcessorAffinity{APICID: le32(e, 8), Domain: le32(e, 4) & mask}, &w)
			}
		case sratMemory:
			if w.fits(e, 40) {
				out.memory(e, mask, &w)
			}
		}
	}
}

func (s *SRAT) cpu(p ProcessorAffinity, w *walker) {
	if w.room(s.NCPUs, MaxCPUs) {
		s.CPUs[s.NCPUs] = p
		s.NCPUs++
	}
}

// memory takes in a range by its flags (ACPI 5.2.16.2, Flags): bit 0 enabled, bit 1 hot-pluggable, bit 2
// non-volatile, which is storage and not for frames.
func (s *SRAT) memory(e []byte, mask uint32, w *walker) {
	base, length, flags := le64(e, 8), le64(e, 16), le32(e, 28)
	if flags&1 == 0 || flags&4 != 0 || length == 0 {
		return
	}
	if base+length < base {
		w.problem(MemoryWraps, base, length)
		return
	}
	if w.room(s.NMemory, MaxMemory) {
		s.Memory[s.NMemory] = MemoryAffinity{Base: base, Limit: base + length, Domain: le32(e, 2) & mask, Hotplug: flags&2 != 0}
		s.NMemory++
	}
}

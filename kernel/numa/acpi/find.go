package acpi

// Memory returns n bytes of physical memory at pa, or nil where they are not all in memory that may be read. Tables are
// seldom in what a memory map calls RAM: page 0, 0xe0000 to 0xfffff, and the areas that it calls reserved, ACPI data or
// NVS have to be readable.
type Memory func(pa, n uint64) []byte

// Table is a table in firmware memory whose length and checksum hold.
type Table struct {
	Addr uint64 // physical; 0: not there
	Data []byte
}

// Tables is what [Find] found. A table that is not there, or not sound, is empty.
type Tables struct {
	RSDP uint64 // physical address of the root pointer
	Root uint64 // physical address of the XSDT or RSDT
	MADT Table
	SRAT Table
	SLIT Table
	HMAT Table
	FADT Table
	HPET Table
	MCFG Table
	DSDT Table
}

// slot returns where a table of this name goes, or nil for a table that the kernel has no use for.
func (t *Tables) slot(s Signature) *Table {
	switch s {
	case sigMADT:
		return &t.MADT
	case sigSRAT:
		return &t.SRAT
	case sigSLIT:
		return &t.SLIT
	case sigHMAT:
		return &t.HMAT
	case sigFADT:
		return &t.FADT
	case sigHPET:
		return &t.HPET
	case sigMCFG:
		return &t.MCFG
	}
	return nil
}

var (
	sigRSDP = Signature{'R', 'S', 'D', 'P'}
	sigRSDT = Signature{'R', 'S', 'D', 'T'}
	sigXSDT = Signature{'X', 'S', 'D', 'T'}
)

// Find fills t with the tables under the root pointer and reports whether there is a root at all. rsdp is the root pointer's
// physical address where the boot loader knows it, else 0; without a sound one there, low memory is searched as ACPI
// 5.2.5.1 says. The DSDT is the one that the FADT points to.
func Find(mem Memory, rsdp uint64, t *Tables, r *Report) bool {
	*t = Tables{}
	p := rootPointer(mem, rsdp)
	if p == nil {
		if rsdp != 0 {
			r.Add(sigRSDP, RSDPBad, 0, rsdp)
		}
		if rsdp, p = search(mem); p == nil {
			r.Add(sigRSDP, RSDPMissing, 0)
			return false
		}
	}
	t.RSDP = rsdp
	if !t.root(mem, p, r) {
		r.Add(sigRSDP, RootMissing, 0, rsdp)
		return false
	}
	t.followFADT(mem, r)
	return true
}

// followFADT takes in the DSDT that the FADT points to.
func (t *Tables) followFADT(mem Memory, r *Report) {
	if t.FADT.Data != nil && len(t.FADT.Data) >= fadtMinSize {
		if a := dsdtAddress(t.FADT.Data); a != 0 {
			t.take(mem, a, sigDSDT, &t.DSDT, r)
		}
	}
}

// Sizes of the root pointer: the part that the first checksum covers, and the whole from revision 2 on (ACPI 5.2.5.3).
const (
	rsdpSize  = 20
	rsdpSize2 = 36
)

// rootPointer returns the first bytes of a root pointer at pa, or nil.
func rootPointer(mem Memory, pa uint64) []byte {
	if pa == 0 {
		return nil
	}
	b := mem(pa, rsdpSize)
	if b == nil || !isRootPointer(b) || sum(b) != 0 {
		return nil
	}
	return b
}

func isRootPointer(b []byte) bool {
	return le32(b, 0) == 'R'|'S'<<8|'D'<<16|' '<<24 && le32(b, 4) == 'P'|'T'<<8|'R'<<16|' '<<24
}

// search looks for a root pointer on 16-byte boundaries in the first KiB of the EBDA, whose segment is the word at 0x40e,
// and then in the BIOS area (ACPI 5.2.5.1).
func search(mem Memory) (uint64, []byte) {
	if w := mem(0x40e, 2); w != nil {
		if pa, p := searchRange(mem, uint64(le16(w, 0))<<4, 1<<10); p != nil {
			return pa, p
		}
	}
	return searchRange(mem, 0xe0000, 0x20000)
}

func searchRange(mem Memory, first, n uint64) (uint64, []byte) {
	for pa := first; pa < first+n; pa += 16 {
		if p := rootPointer(mem, pa); p != nil {
			return pa, p
		}
	}
	return 0, nil
}

// root goes through the XSDT, or through the RSDT where there is no sound XSDT (ACPI 5.2.7, 5.2.8).
func (t *Tables) root(mem Memory, p []byte, r *Report) bool {
	rsdt := uint64(le32(p, 16))
	var root Table
	if p[15] >= 2 { // Revision
		if x := t.xsdt(mem, r); x != 0 && t.take(mem, x, sigXSDT, &root, r) {
			t.entries(mem, &root, 8, r)
			return true
		}
	}
	if rsdt != 0 && t.take(mem, rsdt, sigRSDT, &root, r) {
		t.entries(mem, &root, 4, r)
		return true
	}
	return false
}

// xsdt returns the XSDT's address if the second checksum holds, which covers the whole root pointer.
func (t *Tables) xsdt(mem Memory, r *Report) uint64 {
	b := mem(t.RSDP, rsdpSize2)
	if b == nil {
		r.Add(sigRSDP, RSDPExtended, 0, 0, 0)
		return 0
	}
	n := uint64(le32(b, 20))
	if n < rsdpSize2 || n > 4096 {
		r.Add(sigRSDP, RSDPExtended, 20, n, 0)
		return 0
	}
	whole := mem(t.RSDP, n)
	if whole == nil || sum(whole) != 0 {
		s := uint64(0)
		if whole != nil {
			s = uint64(sum(whole))
		}
		r.Add(sigRSDP, RSDPExtended, 32, n, s)
		return 0
	}
	return le64(b, 24)
}

// entries takes in the tables that a root table points to by addresses of size bytes.
func (t *Tables) entries(mem Memory, root *Table, size int, r *Report) {
	t.Root = root.Addr
	sig := signature(root.Data)
	off := headerSize
	for ; off+size <= len(root.Data); off += size {
		pa := uint64(le32(root.Data, off))
		if size == 8 {
			pa = le64(root.Data, off)
		}
		if pa == 0 {
			r.Add(sig, TableNull, off)
			continue
		}
		h := mem(pa, headerSize)
		if h == nil {
			r.Add(sig, TableOutside, off, pa, headerSize)
			continue
		}
		s := signature(h)
		slot := t.slot(s)
		if slot == nil {
			continue
		}
		if slot.Addr != 0 {
			r.Add(s, TableDuplicate, 0, pa, slot.Addr)
			continue
		}
		t.take(mem, pa, s, slot, r)
	}
	if off != len(root.Data) {
		r.Add(sig, RootTail, off, uint64(len(root.Data)-off), uint64(size))
	}
}

// take fills out with the table at pa if its name, length and checksum hold (ACPI 5.2.6).
func (t *Tables) take(mem Memory, pa uint64, sig Signature, out *Table, r *Report) bool {
	h := mem(pa, headerSize)
	if h == nil {
		r.Add(sig, TableOutside, 0, pa, headerSize)
		return false
	}
	if got := signature(h); got != sig {
		r.Add(sig, TableSignature, 0, got.pack(), sig.pack())
		return false
	}
	n := uint64(le32(h, 4))
	if n < headerSize {
		r.Add(sig, TableShort, 4, n, headerSize)
		return false
	}
	b := mem(pa, n)
	if b == nil {
		r.Add(sig, TableOutside, 4, pa, n)
		return false
	}
	if s := sum(b); s != 0 {
		r.Add(sig, TableChecksum, 9, pa, uint64(s))
		return false
	}
	*out = Table{Addr: pa, Data: b}
	return true
}

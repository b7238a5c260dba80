package acpitest

import (
	"encoding/binary"
	"slices"
)

var le = binary.LittleEndian

// Table returns a table: its header, with length and checksum, then the parts.
func Table(sig string, revision uint8, parts ...[]byte) []byte {
	b := make([]byte, 36)
	copy(b, sig)
	b[8] = revision
	copy(b[10:], "PDAC  TEST    ")
	return Seal(append(b, slices.Concat(parts...)...))
}

// Seal sets a table's length and checksum, and returns it.
func Seal(b []byte) []byte {
	le.PutUint32(b[4:], uint32(len(b)))
	return Resum(b, 9)
}

// Resum sets the byte at off so that all bytes add up to 0, and returns b.
func Resum(b []byte, off int) []byte {
	b[off] = 0
	var s uint8
	for _, c := range b {
		s += c
	}
	b[off] = -s
	return b
}

// Bytes packs values of 8 to 64 bits in little-endian order.
func Bytes(values ...any) []byte {
	var b []byte
	for _, v := range values {
		var err error
		if b, err = binary.Append(b, le, v); err != nil {
			panic(err)
		}
	}
	return b
}

// MADT returns a MADT with the local APICs at their usual address.
func MADT(entries ...[]byte) []byte {
	return Table("APIC", 5, Bytes(uint32(0xfee00000), uint32(1)), slices.Concat(entries...))
}

// LocalAPIC returns a MADT entry; its UID is the APIC ID.
func LocalAPIC(id uint8, flags uint32) []byte { return Bytes(uint8(0), uint8(8), id, id, flags) }

// X2APIC returns a MADT entry; its UID is the APIC ID.
func X2APIC(id, flags uint32) []byte {
	return Bytes(uint8(9), uint8(16), uint16(0), id, flags, id)
}

// SRAT returns an SRAT.
func SRAT(revision uint8, entries ...[]byte) []byte {
	return Table("SRAT", revision, Bytes(uint32(1), uint64(0)), slices.Concat(entries...))
}

// CPU returns an SRAT entry for an 8-bit APIC ID.
func CPU(id uint8, domain, flags uint32) []byte {
	return Bytes(uint8(0), uint8(16), uint8(domain), id, flags, uint8(0), uint8(domain>>8), uint16(domain>>16), uint32(0))
}

// X2CPU returns an SRAT entry for a 32-bit APIC ID.
func X2CPU(id, domain, flags uint32) []byte {
	return Bytes(uint8(2), uint8(24), uint16(0), domain, id, flags, uint32(0), uint32(0))
}

// Memory returns an SRAT entry. Flags: 1 enabled, 2 hot-pluggable, 4 non-volatile.
func Memory(base, length uint64, domain, flags uint32) []byte {
	return Bytes(uint8(1), uint8(40), domain, uint16(0), base, length, uint32(0), flags, uint64(0))
}

// SLIT returns a SLIT of n localities.
func SLIT(n int, distances ...uint8) []byte { return Table("SLIT", 1, Bytes(uint64(n)), distances) }

// HMAT returns an HMAT.
func HMAT(revision uint8, structures ...[]byte) []byte {
	return Table("HMAT", revision, Bytes(uint32(0)), slices.Concat(structures...))
}

// Locality returns an HMAT structure with values in units of base.
func Locality(flags, typ uint8, base uint64, initiators, targets []uint32, values ...uint16) []byte {
	n := uint32(32 + 4*len(initiators) + 4*len(targets) + 2*len(values))
	return Bytes(uint16(1), uint16(0), n, flags, typ, uint16(0), uint32(len(initiators)), uint32(len(targets)), uint32(0), base,
		initiators, targets, values)
}

// RSDP returns a root pointer of revision 0 or 2.
func RSDP(revision uint8, rsdt uint32, xsdt uint64) []byte {
	b := Bytes([]byte("RSD PTR "), uint8(0), []byte("PDAC  "), revision, rsdt)
	Resum(b, 8)
	if revision < 2 {
		return b
	}
	b = append(b, Bytes(uint32(36), xsdt, uint32(0))...)
	return Resum(b, 32)
}

// RSDT returns a root table of 32-bit addresses.
func RSDT(addrs ...uint32) []byte { return Table("RSDT", 1, Bytes(addrs)) }

// XSDT returns a root table of 64-bit addresses.
func XSDT(addrs ...uint64) []byte { return Table("XSDT", 1, Bytes(addrs)) }

// FADT returns a FADT of revision 6 with everything in it 0 but the DSDT's addresses.
func FADT(dsdt uint32, xdsdt uint64) []byte {
	b := Table("FACP", 6, make([]byte, 240))
	le.PutUint32(b[40:], dsdt)
	le.PutUint64(b[140:], xdsdt)
	return Seal(b)
}

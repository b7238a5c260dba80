package acpi

// ACPI tables are little-endian and unaligned (ACPI 5.2). An offset outside b is a bug of this package, and panics.

func le16(b []byte, off int) uint16 { return uint16(b[off]) | uint16(b[off+1])<<8 }

func le32(b []byte, off int) uint32 {
	return uint32(b[off]) | uint32(b[off+1])<<8 | uint32(b[off+2])<<16 | uint32(b[off+3])<<24
}

func le64(b []byte, off int) uint64 { return uint64(le32(b, off)) | uint64(le32(b, off+4))<<32 }

// sum returns the sum of the bytes modulo 256, which is 0 in a sound table (ACPI 5.2.6, Checksum).
func sum(b []byte) uint8 {
	var s uint8
	for _, c := range b {
		s += c
	}
	return s
}

// Signature is a table's four-character name.
type Signature [4]byte

// String returns the signature as text. It allocates: above the runtime only.
func (s Signature) String() string { return string(s[:]) }

func signature(b []byte) Signature { return Signature{b[0], b[1], b[2], b[3]} }

// pack returns the signature as a value of a [Problem].
func (s Signature) pack() uint64 { return uint64(le32(s[:], 0)) }

// headerSize is the length of the header that every table but the RSDP begins with (ACPI 5.2.6).
const headerSize = 36

// body returns the bytes that b's own length field covers, or nil and a problem when b is not a table named sig of at
// least min bytes.
func body(b []byte, sig Signature, min int, r *Report) []byte {
	if len(b) < headerSize {
		r.Add(sig, TableTruncated, 0, uint64(len(b)), headerSize)
		return nil
	}
	if got := signature(b); got != sig {
		r.Add(sig, TableSignature, 0, got.pack(), sig.pack())
		return nil
	}
	n := uint64(le32(b, 4)) // Length, of the whole table with its header
	if n > uint64(len(b)) {
		r.Add(sig, TableTruncated, 4, uint64(len(b)), n)
		return nil
	}
	if n < uint64(min) {
		r.Add(sig, TableShort, 4, n, uint64(min))
		return nil
	}
	return b[:n]
}

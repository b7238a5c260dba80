package acpi

// SleepTypes are the values that go to SLP_TYP of PM1a_CNT and PM1b_CNT, or of the sleep control register, to power off
// (ACPI 7.4.2, \_S5; 4.8.3.2.1).
type SleepTypes struct {
	A, B  uint8
	Found bool // false: A and B are guesses
}

var sigDSDT = Signature{'D', 'S', 'D', 'T'}

// AML opcodes (ACPI 20.2.2, 20.2.3, 20.2.5).
const (
	amlZero    = 0x00
	amlOne     = 0x01
	amlName    = 0x08
	amlByte    = 0x0a
	amlWord    = 0x0b
	amlDWord   = 0x0c
	amlPackage = 0x12
	amlRoot    = '\\'
)

// ParseS5 finds Name (_S5, Package () {a, b, ...}) in a DSDT by its bytes, without an interpreter: a constant package is the
// only form that firmware uses. Where there is none the types stay 0, which powers off QEMU's machines and, on a PC, means
// "working", so that a guess does no harm.
func ParseS5(b []byte, out *SleepTypes, r *Report) bool {
	*out = SleepTypes{}
	b = body(b, sigDSDT, headerSize, r)
	if b == nil {
		return false
	}
	bad := 0
	for i := headerSize + 1; i+4 <= len(b); i++ {
		// The first byte is compared alone: it decides nearly always.
		if b[i] != '_' || b[i+1] != 'S' || b[i+2] != '5' || b[i+3] != '_' {
			continue
		}
		if b[i-1] != amlName && !(b[i-1] == amlRoot && b[i-2] == amlName) {
			continue // a reference, not the definition
		}
		if out.packageAt(b[i+4:]) {
			return true
		}
		bad = i
	}
	if bad != 0 {
		r.Add(sigDSDT, SleepMalformed, bad)
	} else {
		r.Add(sigDSDT, SleepMissing, 0)
	}
	return false
}

// packageAt reads PackageOp PkgLength NumElements and one or two integers (ACPI 20.2.4, 20.2.5.4).
func (s *SleepTypes) packageAt(b []byte) bool {
	if len(b) < 2 || b[0] != amlPackage {
		return false
	}
	// PkgLength has 1 to 4 bytes, bits 6-7 of the first say how many follow it.
	skip := 2 + int(b[1]>>6)
	if len(b) <= skip || b[skip] == 0 {
		return false
	}
	elements, b := b[skip], b[skip+1:]
	a, n := integer(b)
	if n == 0 {
		return false
	}
	// A package of one integer, as some firmware has, holds both types in its first two bytes.
	second := a >> 8
	if elements > 1 {
		second, _ = integer(b[n:]) // 0 where it is none: such firmware has no PM1b
	}
	*s = SleepTypes{A: uint8(a) & 7, B: uint8(second) & 7, Found: true} // SLP_TYP has three bits
	return true
}

// integer returns a constant integer and its length in bytes, or length 0.
func integer(b []byte) (v uint32, n int) {
	switch {
	case len(b) >= 1 && (b[0] == amlZero || b[0] == amlOne):
		return uint32(b[0]), 1
	case len(b) >= 2 && b[0] == amlByte:
		return uint32(b[1]), 2
	case len(b) >= 3 && b[0] == amlWord:
		return uint32(le16(b, 1)), 3
	case len(b) >= 5 && b[0] == amlDWord:
		return le32(b, 1), 5
	}
	return 0, 0
}

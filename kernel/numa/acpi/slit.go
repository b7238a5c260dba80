package acpi

// SLIT is the System Locality Distance Information Table (ACPI 5.2.17): a view of the matrix in firmware memory, whose
// rows and columns are proximity domains. It may be asymmetric; 255 says that there is no path.
type SLIT struct {
	N      int // localities
	matrix []byte
}

const (
	// LocalDistance is a domain's distance to itself, by which all others are scaled (ACPI 5.2.17).
	LocalDistance = 10
	// RemoteDistance is assumed between two domains where no table says.
	RemoteDistance = 20
)

var sigSLIT = Signature{'S', 'L', 'I', 'T'}

// ParseSLIT fills out from the table in b and reports whether it is sound. A matrix with one false distance is left out
// as a whole: nothing says that its others are true.
func ParseSLIT(b []byte, out *SLIT, r *Report) bool {
	*out = SLIT{}
	b = body(b, sigSLIT, 44, r)
	if b == nil {
		return false
	}
	n := le64(b, 36)
	// n*n cannot overflow once n is bounded by the length, which has 32 bits.
	if n == 0 || n > 0xffff || n*n != uint64(len(b)-44) {
		r.Add(sigSLIT, SLITSize, 36, n, uint64(len(b)))
		return false
	}
	m := b[44:]
	for i := 0; i < len(m); i += int(n) + 1 {
		if m[i] != LocalDistance {
			r.Add(sigSLIT, SLITDiagonal, 44+i, uint64(i)/(n+1), uint64(m[i]), LocalDistance)
			return false
		}
	}
	for i, d := range m {
		if d < LocalDistance { // 0 to 9 are reserved
			r.Add(sigSLIT, SLITValue, 44+i, uint64(d))
			return false
		}
	}
	*out = SLIT{N: int(n), matrix: m}
	return true
}

// Distance returns the relative distance from one domain to another, 10 to 255, and false where the table has none.
func (s *SLIT) Distance(from, to uint32) (uint8, bool) {
	n := uint64(s.N)
	if uint64(from) >= n || uint64(to) >= n {
		return 0, false
	}
	return s.matrix[uint64(from)*n+uint64(to)], true
}

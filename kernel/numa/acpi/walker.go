package acpi

// walker goes through the structures that make up MADT and SRAT: one byte of type, one of length, then the contents
// (ACPI 5.2.12, 5.2.16).
type walker struct {
	b   []byte
	off int // of the next structure
	at  int // of the current one
	sig Signature
	r   *Report
}

// next returns the next structure. A length that cannot be true ends the walk with a problem: there is no telling where
// the following structure begins.
func (w *walker) next() ([]byte, bool) {
	w.at = w.off
	left := len(w.b) - w.off
	if left == 0 {
		return nil, false
	}
	if left == 1 {
		w.problem(EntryTail, 1, 2)
		return nil, false
	}
	n := int(w.b[w.off+1])
	if n < 2 {
		w.problem(EntryLength, uint64(n), 2)
		return nil, false
	}
	if n > left {
		w.problem(EntryOverrun, uint64(n), uint64(left))
		return nil, false
	}
	w.off += n
	return w.b[w.at:w.off], true
}

// fits reports whether the structure e is at least as long as its type asks; a shorter one is a problem and is left out.
// A longer one is sound: later editions append fields.
func (w *walker) fits(e []byte, n int) bool {
	if len(e) < n {
		w.problem(EntryShort, uint64(e[0]), uint64(len(e)), uint64(n))
		return false
	}
	return true
}

// room reports whether one more of max may be kept; else the current structure is a problem and is left out.
func (w *walker) room(n, max int) bool {
	if n == max {
		w.problem(TooMany, uint64(w.b[w.at]), uint64(max))
		return false
	}
	return true
}

// problem reports the current structure.
func (w *walker) problem(code Code, values ...uint64) { w.r.Add(w.sig, code, w.at, values...) }

package acpi

// Override puts the table in the n bytes at pa, such as a file's, into the place of the firmware's of the same name, and reports
// whether it did. Only a table that [Tables] has a place for replaces one, and only a sound one: else the firmware's stays and the
// fault is reported. A replaced FADT names the DSDT where the firmware's named none that was sound.
//
// Preconditions: Find was called, whatever it returned.
func (t *Tables) Override(mem Memory, pa, n uint64, r *Report) (Signature, bool) {
	h := mem(pa, headerSize)
	if n < headerSize || h == nil {
		r.Add(Signature{}, TableTruncated, 0, n, headerSize)
		return Signature{}, false
	}
	s := signature(h)
	slot := t.slot(s)
	if s == sigDSDT {
		slot = &t.DSDT
	}
	if slot == nil {
		r.Add(s, OverrideUnknown, 0, pa)
		return s, false
	}
	if length := uint64(le32(h, 4)); length > n {
		r.Add(s, TableTruncated, 4, n, length)
		return s, false
	}
	if !t.take(mem, pa, s, slot, r) {
		return s, false
	}
	if s == sigFADT && t.DSDT.Addr == 0 {
		t.followFADT(mem, r)
	}
	return s, true
}

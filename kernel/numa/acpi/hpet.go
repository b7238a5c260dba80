package acpi

// HPET describes a block of high precision event timers (IA-PC HPET 1.0a, 3.2.4).
type HPET struct {
	Addr    uint64 // physical
	MinTick uint16 // least ticks of a periodic timer without lost interrupts
	Number  uint8  // of the block
}

var sigHPET = Signature{'H', 'P', 'E', 'T'}

// ParseHPET fills out from the table in b and reports whether there is a block to use.
func ParseHPET(b []byte, out *HPET, r *Report) bool {
	*out = HPET{}
	b = body(b, sigHPET, 56, r)
	if b == nil {
		return false
	}
	g := gas(b, 40)
	if g.Space != SpaceMemory || !g.Valid() {
		r.Add(sigHPET, HPETSpace, 40, uint64(g.Space), g.Addr)
		return false
	}
	*out = HPET{Addr: g.Addr, Number: b[52], MinTick: le16(b, 53)}
	return true
}

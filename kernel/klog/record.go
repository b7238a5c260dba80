package klog

// MaxText is the longest text of a record in bytes. A longer one ends in "...".
const MaxText = (slotWords - headWords) * 8

// Record is a log record under construction: a value of fixed size. The zero Record is one that nobody will see.
type Record struct {
	keep  bool
	level Level
	n     uint8 // bytes used of text
	cut   bool  // something did not fit
	text  [MaxText]byte
}

// New begins a record. One that would be neither kept nor shown still costs about 100 ns, since a Record is copied from piece to
// piece; a hot path asks Threshold first.
func New(l Level) Record {
	return Record{level: l, keep: l <= max(Info, Threshold())}
}

// Str appends s. Control characters become '?', so that a record is one line whatever it quotes.
func (r Record) Str(s string) Record {
	if r.keep {
		for i := 0; i < len(s) && !r.cut; i++ {
			r.put(s[i])
		}
	}
	return r
}

// Chars appends b as Str does.
func (r Record) Chars(b []byte) Record {
	if r.keep {
		for i := 0; i < len(b) && !r.cut; i++ {
			r.put(b[i])
		}
	}
	return r
}

// Dec appends v in decimal.
func (r Record) Dec(v uint64) Record {
	if !r.keep {
		return r
	}
	var d [20]byte
	return r.Chars(d[decimal(&d, v):])
}

// Int appends v in decimal, with a sign if it is negative.
func (r Record) Int(v int64) Record {
	if v < 0 {
		return r.Str("-").Dec(-uint64(v))
	}
	return r.Dec(uint64(v))
}

// Hex appends v in hexadecimal after "0x", without leading zeros.
func (r Record) Hex(v uint64) Record {
	if !r.keep {
		return r
	}
	var d [16]byte
	return r.Str("0x").Chars(d[hex(&d, v):])
}

// End commits the record to the ring and sends it on to the serial line if its level asks for that.
func (r Record) End() {
	if !r.keep {
		return
	}
	if r.cut {
		copy(r.text[MaxText-3:], "...")
	}
	var e Entry
	e.Level, e.n, e.text = r.level, r.n, r.text
	if Now != nil {
		e.Time = Now()
	}
	if CPU != nil {
		e.CPU = CPU()
	}
	log.write(&e)
	send()
}

func (r *Record) put(c byte) {
	if r.n == MaxText {
		r.cut = true
		return
	}
	if c < ' ' || c == 0x7f {
		c = '?'
	}
	r.text[r.n] = c
	r.n++
}

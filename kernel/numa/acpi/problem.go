package acpi

// MaxProblems is how many problems a [Report] keeps. More are counted: a table that is wrong throughout is told by its
// first faults as well as by all.
const MaxProblems = 32

// Report collects what is wrong with the tables. The zero value is empty.
type Report struct {
	N        int // problems kept
	Lost     int // problems that found no room
	Problems [MaxProblems]Problem
}

// Problem is one fault of a table.
type Problem struct {
	Table  Signature
	Code   Code
	Offset uint32    // in the table, of the faulty field
	Values [3]uint64 // of the message, in its order
}

// Add records a problem with up to three values.
func (r *Report) Add(table Signature, code Code, offset int, values ...uint64) {
	if r.N == MaxProblems {
		r.Lost++
		return
	}
	p := &r.Problems[r.N]
	*p = Problem{Table: table, Code: code, Offset: uint32(offset)}
	copy(p.Values[:], values)
	r.N++
}

// All returns the problems kept, oldest first.
func (r *Report) All() []Problem { return r.Problems[:r.N] }

// MaxMessage is a buffer size that every message fits in, in bytes.
const MaxMessage = 192

// Format writes the one-line message, without a newline, to b and returns its length. What does not fit is cut off;
// [MaxMessage] bytes are always enough. It allocates nothing: below and above the runtime.
func (p *Problem) Format(b []byte) int {
	w := writer{b: b}
	for _, c := range p.Table {
		w.char(c)
	}
	w.text(": ")
	if int(p.Code) >= len(messages) {
		w.text("problem ")
		w.dec(uint64(p.Code))
		return w.n
	}
	m := messages[p.Code]
	v := 0
	for i := 0; i < len(m); i++ {
		if m[i] != '%' {
			w.char(m[i])
			continue
		}
		i++
		if m[i] == 'o' {
			w.hex(uint64(p.Offset))
			continue
		}
		switch x := p.Values[v]; m[i] {
		case 'd':
			w.dec(x)
		case 'x':
			w.hex(x)
		case 's':
			for k := 0; k < 4; k++ {
				w.char(byte(x >> (8 * k)))
			}
		}
		v++
	}
	return w.n
}

// String returns the message. It allocates: above the runtime only.
func (p *Problem) String() string {
	var b [MaxMessage]byte
	return string(b[:p.Format(b[:])])
}

// writer appends to a buffer and drops what does not fit.
type writer struct {
	b []byte
	n int
}

// char writes c; firmware's bytes may be anything, and only printable ASCII reaches a terminal.
func (w *writer) char(c byte) {
	if c < ' ' || c > '~' {
		c = '?'
	}
	if w.n < len(w.b) {
		w.b[w.n] = c
		w.n++
	}
}

func (w *writer) text(s string) {
	for i := 0; i < len(s); i++ {
		w.char(s[i])
	}
}

func (w *writer) dec(v uint64) {
	var d [20]byte
	i := len(d)
	for {
		i--
		d[i] = '0' + byte(v%10)
		if v /= 10; v == 0 {
			break
		}
	}
	for ; i < len(d); i++ {
		w.char(d[i])
	}
}

func (w *writer) hex(v uint64) {
	w.text("0x")
	shift := 60
	for shift > 0 && v>>shift == 0 {
		shift -= 4
	}
	for ; shift >= 0; shift -= 4 {
		w.char("0123456789abcdef"[v>>shift&15])
	}
}

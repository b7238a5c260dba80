package klog

// MaxLine is the longest line that Line makes, in bytes.
const MaxLine = MaxText + 48

// Line formats e into b as the serial line shows it, without a line end, and returns the length:
// seconds since boot, CPU, level, text.
//
//	[    1.234567] 3 warn  srat: bad length 7
func (e *Entry) Line(b *[MaxLine]byte) int {
	var d [20]byte
	us := e.Time / 1000
	b[0] = '['
	n := 1
	i := decimal(&d, us/1e6)
	for range 5 - (len(d) - i) {
		b[n] = ' '
		n++
	}
	n += copy(b[n:], d[i:])
	b[n] = '.'
	n++
	decimal(&d, us%1e6+1e6) // the leading 1 keeps the zeros
	n += copy(b[n:], d[len(d)-6:])
	n += copy(b[n:], "] ")
	n += copy(b[n:], d[decimal(&d, uint64(e.CPU)):])
	b[n] = ' '
	n++
	name := e.Level.String()
	n += copy(b[n:], name)
	n += copy(b[n:], "      "[len(name):])
	return n + copy(b[n:], e.Text())
}

// decimal writes v to the end of d and returns the index of its first digit.
func decimal(d *[20]byte, v uint64) int {
	i := len(d)
	for {
		i--
		d[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			return i
		}
	}
}

// hex writes v to the end of d and returns the index of its first digit.
func hex(d *[16]byte, v uint64) int {
	i := len(d)
	for {
		i--
		d[i] = "0123456789abcdef"[v&15]
		if v >>= 4; v == 0 {
			return i
		}
	}
}

package crash

import "pdac/kernel/klog"

// put sends s to the serial line, by polling.
func put(s string) {
	for i := 0; i < len(s); i++ {
		putc(s[i])
	}
}

func putc(c byte) {
	if klog.Out == nil {
		return
	}
	if c == '\n' {
		klog.Out('\r')
	}
	klog.Out(c)
}

// putText sends what someone else wrote, as one line whatever it holds.
func putText(s string) {
	for i := 0; i < len(s); i++ {
		putPrintable(s[i])
	}
}

// putName sends a name out of the symbol table, a generic function's type arguments as "[...]".
func putName(b []byte) {
	open, end := 0, len(b)-1
	for open < len(b) && b[open] != '[' {
		open++
	}
	for end > open && b[end] != ']' {
		end--
	}
	for i, c := range b {
		switch {
		case i < open || open >= end || i > end:
			putPrintable(c)
		case i == open:
			put("[...]")
		}
	}
}

func putPrintable(c byte) {
	if c < ' ' || c == 0x7f {
		c = '?'
	}
	putc(c)
}

// putHex sends v as digits hexadecimal digits.
func putHex(v uint64, digits uint) {
	for i := digits; i > 0; i-- {
		putc("0123456789abcdef"[v>>(4*i-4)&15])
	}
}

// putAddr sends v as 0x and 16 digits.
func putAddr(v uint64) {
	put("0x")
	putHex(v, 16)
}

// putShort sends v in hexadecimal after 0x, without leading zeros.
func putShort(v uint64) {
	put("0x")
	n := uint(1)
	for n < 16 && v>>(4*n) != 0 {
		n++
	}
	putHex(v, n)
}

func putDec(v uint64) {
	var d [20]byte
	i := len(d)
	for {
		i--
		d[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			break
		}
	}
	for ; i < len(d); i++ {
		putc(d[i])
	}
}

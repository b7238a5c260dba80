package crash

const (
	maxFrames = 48      // a dump is read on a serial line
	maxGap    = 1 << 26 // bytes between two frames: more means that the chain left the stack
)

// load reads a word, if the address may be read.
func load(va uint64) (uint64, bool) {
	if va&7 != 0 || va+7 < va || Readable == nil || !Readable(va) || !Readable(va+7) {
		return 0, false
	}
	return peek64(uintptr(va)), true
}

// putStack prints the chain of calls that leads to rip.
//
// Go's compiler keeps RBP as a frame pointer: RBP points at the caller's RBP, and the return address is above that. Two kinds of
// places have not set it up: the first instructions of a function, and leaves that need no frame. There the chain would miss
// the caller, so the return address of the innermost frame is taken from where the table says it is.
func putStack(t *Table, rip, rsp, rbp uint64) {
	putFrame(t, 0, rip, rip)
	n := 1
	if _, ok := t.Lookup(rip); !ok {
		// A jump to nowhere: the call that did it left its return address.
		if ret, ok := load(rsp); ok {
			if _, ok := t.Lookup(ret - 1); ok {
				putFrame(t, n, ret, ret-1)
				n++
			}
		}
	} else if size, ok := t.FrameSize(rip); ok && rsp+size != rbp+8 {
		if ret, ok := load(rsp + size); ok {
			putFrame(t, n, ret, ret-1)
			n++
		}
	}
	for ; n < maxFrames; n++ {
		next, ok1 := load(rbp)
		ret, ok2 := load(rbp + 8)
		if !ok1 || !ok2 || ret == 0 {
			return
		}
		putFrame(t, n, ret, ret-1)
		if next <= rbp || next-rbp > maxGap {
			return
		}
		rbp = next
	}
	put("  ... more\n")
}

// putFrame prints a line of a stack: the address in the frame, and what the source has at pc.
func putFrame(t *Table, n int, addr, pc uint64) {
	put("  #")
	putDec(uint64(n))
	if n < 10 {
		putc(' ')
	}
	putc(' ')
	putAddr(addr)
	putc(' ')
	putSymbol(t, pc)
	putc('\n')
}

// putSymbol prints function+offset file:line. The function is the innermost one, even if it was inlined; then the one of the
// call frame, which the offset belongs to, follows in brackets.
func putSymbol(t *Table, pc uint64) {
	s, ok := t.Lookup(pc)
	if !ok {
		put("?")
		return
	}
	putName(s.Func)
	if s.Inlined {
		put(" (in ")
		putName(s.Outer)
		putc('+')
		putShort(pc - s.Entry)
		putc(')')
	} else {
		putc('+')
		putShort(pc - s.Entry)
	}
	if len(s.File) > 0 {
		putc(' ')
		putName(s.File)
		putc(':')
		putDec(uint64(s.Line))
	}
}

package gate

import (
	"io"
	"sync"

	"pdac/kernel/space"
)

// The console's line. Output goes out at once; input is there when the kernel's own console doesn't
// read it (console=off).

// line is the console's line, as programs share it.
type line struct {
	out io.Writer
	in  io.Reader // nil: the kernel's console has it

	start sync.Once
	more  chan struct{} // there is input, or no more will come. Capacity 1

	sync.Mutex
	typed []byte
	err   error // why there is no more
}

// typeAhead is how much input is kept that nobody reads, in bytes.
const typeAhead = 4096

func newLine(out io.Writer, in io.Reader) *line {
	return &line{out: out, in: in, more: make(chan struct{}, 1)}
}

// listen reads the line from now on, in the kernel's name: whoever is first to ask may soon lose
// the right.
func (l *line) listen() {
	go func() {
		space.Set(space.Kernel)
		b := make([]byte, 256)
		for {
			n, err := l.in.Read(b)
			l.Lock()
			l.typed = append(l.typed, b[:min(n, typeAhead-len(l.typed))]...)
			l.err = err
			l.Unlock()
			l.ring()
			if err != nil {
				return
			}
		}
	}()
}

// ring tells one who waits that there is something.
func (l *line) ring() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// take takes what was typed.
func (l *line) take(p []byte) (n int, err error) {
	l.Lock()
	defer l.Unlock()
	n = copy(p, l.typed)
	l.typed = append(l.typed[:0], l.typed[n:]...)
	if n == 0 {
		err = l.err
	}
	if len(l.typed) > 0 || l.err != nil { // for the next who waits
		l.ring()
	}
	return n, err
}

// ConsoleRead reads what was typed into p, and waits for something. id has Read.
//
// Errors: of id; *ArgumentError; ErrTaken; the line's.
func ConsoleRead(id ID, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, consoleRead.bad("p", "room for input")
	}
	g, err := enterBlocking(consoleRead, id)
	if err != nil {
		return 0, err
	}
	defer g.end()
	l := core.console
	if l.in == nil {
		return 0, consoleRead.fail(ErrTaken)
	}
	l.start.Do(l.listen)
	for {
		if n, err := l.take(p); n > 0 || err != nil {
			return n, consoleRead.fail(err)
		}
		if err := wait(&g, l.more, nil); err != nil {
			l.ring() // it may have been told, and goes without
			return 0, consoleRead.fail(err)
		}
	}
}

// ConsoleWrite writes p. id has Write.
//
// Errors: of id; the line's.
func ConsoleWrite(id ID, p []byte) (int, error) {
	t, _, err := enter(consoleWrite, id)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	n, err := core.console.out.Write(p)
	return n, consoleWrite.fail(err)
}

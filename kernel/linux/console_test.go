package linux

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pdac/kernel/sched"
)

// capture collects what goes to the console, chunk by chunk.
func capture(t *testing.T) *[]string {
	var mu sync.Mutex
	chunks := new([]string)
	ConsoleOut = func(cpu int, b []byte) {
		if !mu.TryLock() {
			t.Error("two CPUs write at once")
			return
		}
		*chunks = append(*chunks, string(b))
		mu.Unlock()
	}
	t.Cleanup(func() { ConsoleOut = nil })
	return chunks
}

func TestConsoleWrite(t *testing.T) {
	m := bootFiles(t, 1, nil)
	chunks := capture(t)
	text := []byte("\none\ntwo\r\n" + strings.Repeat("\n", 600) + "end")
	p, n := bytesAt(text)
	m.want(int64(n), nrWrite, 1, p, n)
	if got, want := strings.Join(*chunks, ""), strings.ReplaceAll(string(text), "\n", "\r\n"); got != want {
		t.Errorf("the console shows %q, want %q", got, want)
	}
	m.want(0, nrWrite, 1, p, 0)
	m.want(efault, nrWrite, 1, badAddress, 1)
	m.want(6, nrWritev, 2, user(&[]uint64{p, 2, p + 1, 4}[0]), 2)
	ConsoleOut = nil
	m.want(3, nrWrite, 1, p, 3)
}

func TestConsoleWritesStayWhole(t *testing.T) {
	const cpus, lines = 4, 300
	bootFiles(t, cpus, nil)
	chunks := capture(t)
	var wg sync.WaitGroup
	for cpu := range cpus {
		wg.Go(func() {
			for i := range lines {
				line := fmt.Appendf(nil, "%d %d %s\n", cpu, i, bytes.Repeat([]byte{'x'}, 240))
				p, n := bytesAt(line)
				if r := writeConsole(cpu, p, n); r != int64(n) {
					t.Errorf("write: %d", r)
				}
			}
		})
	}
	wg.Wait()
	if len(*chunks) != cpus*lines {
		t.Errorf("%d chunks, want %d", len(*chunks), cpus*lines)
	}
	for _, c := range *chunks {
		if !strings.HasSuffix(c, "x\r\n") || strings.Count(c, "\n") != 1 {
			t.Fatalf("a line is torn: %q", c)
		}
	}
}

func TestConsoleIsTerminal(t *testing.T) {
	m := bootFiles(t, 1, nil)
	var tio termios
	m.want(0, nrIoctl, 1, tcgets, user(&tio))
	if tio.output != 5 || tio.control&0x30 != 0x30 {
		t.Errorf("termios is %+v", tio)
	}
	size, p := words(1)
	size[0] = 1
	m.want(0, nrIoctl, 2, tiocgwinsz, p)
	if size[0] != 0 {
		t.Errorf("the size is %#x", size[0])
	}
	m.want(enotty, nrIoctl, 0, tcgets, p)
	m.want(efault, nrIoctl, 1, tcgets, badAddress)
	m.want(enotty, nrIoctl, 1, 0x5402, p) // TCSETS: the line is not the program's
	size[0] = 1
	m.want(0, nrIoctl, 1, fionbio, p)
	m.want(oRdwr|oNonblock, nrFcntl, 1, fGetfl)
	m.want(0, nrIoctl, 1, fioclex, 0)
	m.want(1, nrFcntl, 1, fGetfd)
	m.want(0, nrIoctl, 1, fionclex, 0)
	m.want(0, nrFcntl, 1, fGetfd)
}

// TestIRQWait: a driver sees each interrupt, those that came while it was busy too.
func TestIRQWait(t *testing.T) {
	m := bootFiles(t, 1, nil)
	const vector = 0x41
	from := IRQCount(vector)
	m.want(einval, IRQWait, 256, 0)
	IRQ(0, vector)
	IRQ(0, vector)
	m.want(int64(from)+2, IRQWait, vector, from)
	c := &sched.Get(mainThread).Ctx
	for i := range uint64(3) {
		set(c, IRQWait, vector, from+2+i)
		Syscall(0, mainThread)
		if got := m.leave(0); got != 0 {
			t.Fatalf("task %d runs", got)
		}
		IRQ(0, vector+1)
		if got := m.leave(0); got != 0 {
			t.Fatal("another vector wakes the driver")
		}
		IRQ(0, vector)
		if got := m.leave(0); got != mainThread || c.RAX != from+3+i {
			t.Errorf("task %d runs with %d, want %d", got, c.RAX, from+3+i)
		}
	}
}

package boot

import (
	"bufio"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// gdb is the debugger's end of QEMU's gdb stub (GDB manual, appendix "Remote Serial Protocol"), with what it takes to hold single
// virtual CPUs back. Threads are virtual CPUs, numbered from 1.
type gdb struct {
	testing.TB
	path string
	conn net.Conn
	in   *bufio.Reader
}

// newGDB returns a debugger for a guest that is booted with its options, and waits for it before the first instruction.
func newGDB(t testing.TB) *gdb {
	t.Helper()
	dir, err := os.MkdirTemp("", "gdb") // t.TempDir has the test's name: too long for a socket, and QEMU splits it at commas
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &gdb{TB: t, path: filepath.Join(dir, "socket")}
}

func (g *gdb) options() []string {
	return []string{"-S", "-gdb", "unix:" + g.path + ",server=on,wait=off"}
}

// attach connects to the guest, which another goroutine boots: QEMU may not have begun to listen yet.
func (g *gdb) attach() error {
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("unix", g.path)
		if err == nil {
			g.conn, g.in = conn, bufio.NewReader(conn)
			g.Cleanup(func() { conn.Close() })
			return conn.SetDeadline(time.Now().Add(3 * time.Minute))
		}
		if time.Now().After(end) {
			return err
		}
	}
}

// send sends a packet.
func (g *gdb) send(format string, args ...any) error {
	data := fmt.Sprintf(format, args...)
	sum := byte(0)
	for i := range len(data) {
		sum += data[i]
	}
	_, err := fmt.Fprintf(g.conn, "$%s#%02x", data, sum)
	return err
}

// receive returns the next packet and acknowledges it.
func (g *gdb) receive() (string, error) {
	if _, err := g.in.ReadString('$'); err != nil { // acknowledgements before it
		return "", err
	}
	data, err := g.in.ReadString('#')
	if err == nil {
		_, err = g.in.Discard(2) // sum
	}
	if err == nil {
		_, err = g.conn.Write([]byte{'+'})
	}
	return strings.TrimSuffix(data, "#"), err
}

// ask sends a packet whose answer must begin with want, and returns that.
func (g *gdb) ask(want, format string, args ...any) (string, error) {
	if err := g.send(format, args...); err != nil {
		return "", err
	}
	got, err := g.receive()
	if err == nil && !strings.HasPrefix(got, want) {
		err = fmt.Errorf("gdb stub: %s gives %q, want %q", fmt.Sprintf(format, args...), got, want)
	}
	return got, err
}

// runTo runs all CPUs until one gets to the address.
func (g *gdb) runTo(address uint64) error {
	if _, err := g.ask("OK", "Z1,%x,1", address); err != nil {
		return err
	}
	if _, err := g.ask("T05", "vCont;c"); err != nil {
		return err
	}
	_, err := g.ask("OK", "z1,%x,1", address)
	return err
}

// resume lets CPUs run, all if none is named. Those that are not named stand still.
func (g *gdb) resume(cpus ...int) error {
	packet := "vCont"
	for _, c := range cpus {
		packet += fmt.Sprintf(";c:%x", c+1)
	}
	if len(cpus) == 0 {
		packet += ";c"
	}
	return g.send("%s", packet)
}

// stop stops all CPUs.
func (g *gdb) stop() error {
	if _, err := g.conn.Write([]byte{3}); err != nil {
		return err
	}
	_, err := g.receive()
	return err
}

// rip returns where a CPU is. All must stand still.
func (g *gdb) rip(cpu int) (uint64, error) {
	if _, err := g.ask("OK", "Hg%x", cpu+1); err != nil {
		return 0, err
	}
	regs, err := g.ask("", "g")
	if err != nil {
		return 0, err
	}
	const index = 16 // after the general registers, 8 bytes each
	b, err := hex.DecodeString(regs)
	if err != nil || len(b) < 8*index+8 {
		return 0, fmt.Errorf("gdb stub: registers %q", regs)
	}
	v := uint64(0)
	for i := range 8 {
		v |= uint64(b[8*index+i]) << (8 * i)
	}
	return v, nil
}

// entry returns the address of the image's first instruction.
func entry(t testing.TB, image string) uint64 {
	t.Helper()
	f, err := elf.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Entry
}

// symbol returns where a function of the image begins and ends.
func symbol(t testing.TB, image, name string) (from, to uint64) {
	t.Helper()
	f, err := elf.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Name == name {
			return s.Value, s.Value + s.Size
		}
	}
	t.Fatalf("%s has no symbol %s", image, name)
	return 0, 0
}

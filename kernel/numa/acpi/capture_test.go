package acpi

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// captures are the machines whose tables are kept in test/testdata/acpi, by QEMU arguments.
var captures = map[string]string{
	"pc-1cpu":        "-M pc -smp 1 -m 128M",
	"pc-4nodes":      "-M pc -smp 4 -m 512M,maxmem=2G,slots=2" + node(0, 1) + node(1, 1) + node(2, 1) + node(3, 1),
	"q35-1cpu":       "-M q35 -smp 1 -m 128M",
	"q35-2nodes":     "-M q35 -smp 4 -m 256M" + node(0, 2) + node(1, 2),
	"q35-6gib":       "-M q35 -smp 2 -m 6G -object memory-backend-ram,id=a,size=3G -object memory-backend-ram,id=b,size=3G -numa node,memdev=a,cpus=0 -numa node,memdev=b,cpus=1",
	"q35-8nodes":     "-M q35 -smp 16 -m 1G" + node(0, 2) + node(1, 2) + node(2, 2) + node(3, 2) + node(4, 2) + node(5, 2) + node(6, 2) + node(7, 2),
	"q35-memoryless": "-M q35 -smp 3 -m 256M" + node(0, 1) + " -numa node,nodeid=1,cpus=1" + node(2, 1),
	"q35-cpuless":    "-M q35 -smp 4 -m 384M -numa node,nodeid=0,cpus=0-1,memdev=m0 -numa node,nodeid=1,memdev=m1 -numa node,nodeid=2,cpus=2-3,memdev=m2" + backend(0) + backend(1) + backend(2),
	"q35-asymmetric": "-M q35 -smp 3 -m 384M" + node(0, 1) + node(1, 1) + node(2, 1) + dist(0, 1, 15) + dist(0, 2, 40) + dist(1, 0, 21) + dist(1, 2, 25) + dist(2, 0, 31) + dist(2, 1, 255),
	"q35-hmat": "-M q35,hmat=on -smp 2 -m 256M -numa node,nodeid=0,cpus=0-1,memdev=m0 -numa node,nodeid=1,memdev=m1,initiator=0" + backend(0) + backend(1) +
		" -numa hmat-lb,initiator=0,target=0,hierarchy=memory,data-type=access-latency,latency=10" +
		" -numa hmat-lb,initiator=0,target=1,hierarchy=memory,data-type=access-latency,latency=130" +
		" -numa hmat-lb,initiator=0,target=0,hierarchy=memory,data-type=access-bandwidth,bandwidth=2000M" +
		" -numa hmat-lb,initiator=0,target=1,hierarchy=memory,data-type=access-bandwidth,bandwidth=500M" +
		" -numa hmat-cache,node-id=0,size=10K,level=1,associativity=direct,policy=write-back,line=64",
}

// backend returns the arguments for 128 MiB of memory.
func backend(n int) string { return fmt.Sprintf(" -object memory-backend-ram,id=m%d,size=128M", n) }

// node returns the arguments for a node of 128 MiB that has the n-th group of cpus CPUs.
func node(n, cpus int) string {
	return backend(n) + fmt.Sprintf(" -numa node,nodeid=%d,memdev=m%d,cpus=%d-%d", n, n, n*cpus, (n+1)*cpus-1)
}

func dist(from, to, d int) string {
	return fmt.Sprintf(" -numa dist,src=%d,dst=%d,val=%d", from, to, d)
}

// TestCapture takes the tables of each machine out of a QEMU that has run its firmware. It is how test/testdata/acpi came
// to be, and runs only on request.
func TestCapture(t *testing.T) {
	if os.Getenv("PDAC_CAPTURE") == "" {
		t.Skip("PDAC_CAPTURE is not set: the committed captures stay as they are")
	}
	for name, args := range captures {
		t.Run(name, func(t *testing.T) {
			m := startMachine(t, args)
			var tables Tables
			for try := 0; ; try++ { // until the firmware has written them all
				m.pages = map[uint64][]byte{}
				var r Report
				if Find(m.read, 0, &tables, &r) && r.N == 0 && tables.FADT.Data != nil {
					break
				}
				if try == 100 {
					t.Fatalf("no sound tables in memory: %v", r.All())
				}
				time.Sleep(100 * time.Millisecond)
			}
			dir := filepath.Join(testdata, name)
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			save := func(pa uint64, name string, b []byte) {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%08x-%s.bin", pa, name)), b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			root := m.read(tables.Root, uint64(le32(m.read(tables.Root, headerSize), 4)))
			save(tables.RSDP, "RSDP", m.read(tables.RSDP, rsdpSize))
			save(tables.Root, signature(root).String(), root)
			save(tables.DSDT.Addr, "DSDT", tables.DSDT.Data)
			for off := headerSize; off < len(root); off += 4 { // QEMU has an RSDT
				pa := uint64(le32(root, off))
				b := m.read(pa, uint64(le32(m.read(pa, headerSize), 4)))
				save(pa, signature(b).String(), b)
			}
		})
	}
}

// machine is a QEMU whose memory is read through its monitor, in pages of 4 KiB.
type machine struct {
	t     *testing.T
	stdin io.Writer
	pages map[uint64][]byte
	n     int
}

func startMachine(t *testing.T, args string) *machine {
	c := exec.Command("qemu-system-x86_64", append(strings.Fields(args), "-accel", "tcg", "-cpu", "max", "-display", "none",
		"-nodefaults", "-monitor", "stdio")...)
	c.Dir = t.TempDir()
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		fmt.Fprintln(in, "quit")
		c.Wait()
	})
	return &machine{t: t, stdin: in, pages: map[uint64][]byte{}}
}

func (m *machine) read(pa, n uint64) []byte {
	var b []byte
	for page := pa &^ 4095; page < pa+n; page += 4096 {
		b = append(b, m.page(page)...)
	}
	return b[pa&4095:][:n]
}

func (m *machine) page(pa uint64) []byte {
	if b := m.pages[pa]; b != nil {
		return b
	}
	m.n++
	name := filepath.Join(m.t.TempDir(), fmt.Sprint(m.n))
	fmt.Fprintf(m.stdin, "pmemsave %#x 4096 %q\n", pa, name)
	for range 5000 {
		if b, err := os.ReadFile(name); err == nil && len(b) == 4096 {
			os.Remove(name)
			m.pages[pa] = b
			return b
		}
		time.Sleep(time.Millisecond)
	}
	m.t.Fatalf("QEMU saved no page %#x in 5 s", pa)
	return nil
}

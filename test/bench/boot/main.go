// Boot measures how long a user waits: the wall time from QEMU's start to the
// console's prompt, beside that of the same image exiting in its entry stub,
// which is what QEMU, its firmware and the loading of the image take. Runs of
// the two alternate, and medians are compared, so that the machine's load falls
// on both.
//
//	go run ./test/bench/boot [-n RUNS] [IMAGE]
package main

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const goal = 120 * time.Millisecond

func main() {
	n := flag.Int("n", 20, "runs of each")
	flag.Parse()
	image := "build/pdac.elf"
	if flag.NArg() > 0 {
		image = flag.Arg(0)
	}
	if err := run(image, *n); err != nil {
		fmt.Fprintln(os.Stderr, "boot:", err)
		os.Exit(1)
	}
}

func run(image string, n int) error {
	tmp, err := os.MkdirTemp("", "boot")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	stub := filepath.Join(tmp, "stub.elf")
	if err := exitInStub(image, stub); err != nil {
		return err
	}
	var prompt, exit []time.Duration
	for range n {
		p, err := boot(image, "pdac> ")
		if err != nil {
			return err
		}
		e, err := boot(stub, "")
		if err != nil {
			return err
		}
		prompt, exit = append(prompt, p), append(exit, e)
	}
	p, e := median(prompt), median(exit)
	fmt.Printf("to the prompt     %6d ms (median of %d, q35, 4 CPUs, 1 GiB)\n", p.Milliseconds(), n)
	fmt.Printf("exit in the stub  %6d ms\n", e.Milliseconds())
	fmt.Printf("difference        %6d ms (goal %d ms)\n", (p - e).Milliseconds(), goal.Milliseconds())
	return nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// boot starts QEMU and returns the time until its output contains want, or until
// it ends where want is empty.
func boot(image, want string) (time.Duration, error) {
	out, err := exec.Command("scripts/run-qemu.sh", "--kernel", image, "--cpus", "4", "--mem", "1G", "--dry-run").Output()
	if err != nil {
		return 0, fmt.Errorf("run-qemu.sh --dry-run: %w", err)
	}
	// Straight to QEMU: the script's own time is not the guest's.
	cmd := exec.Command("sh", "-c", "exec "+strings.TrimSpace(string(out)))
	stdin, err := cmd.StdinPipe() // held open, never written
	if err != nil {
		return 0, err
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if want == "" {
		io.Copy(io.Discard, stdout)
		cmd.Wait() // the status is the firmware's business
		return time.Since(start), nil
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	var seen bytes.Buffer
	r := bufio.NewReader(stdout)
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, fmt.Errorf("QEMU ended before the prompt:\n%s", seen.Bytes())
		}
		if seen.WriteByte(b); bytes.HasSuffix(seen.Bytes(), []byte(want)) {
			return time.Since(start), nil
		}
	}
}

// off powers QEMU's machines off: 32-bit code for OUT 0x2000 to port 0x604.
var off = []byte{
	0x66, 0xba, 0x04, 0x06, // MOV DX, 0x604
	0x66, 0xb8, 0x00, 0x20, // MOV AX, 0x2000
	0x66, 0xef, // OUT DX, AX
	0xfa, 0xf4, // CLI; HLT
}

// exitInStub copies image to stub with off at its entry, which the PVH note
// names in its last 8 bytes.
func exitInStub(image, stub string) error {
	b, err := os.ReadFile(image)
	if err != nil {
		return err
	}
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%s: %w", image, err)
	}
	var entry uint64
	for _, p := range f.Progs {
		if p.Type == elf.PT_NOTE && p.Filesz >= 8 {
			entry = binary.LittleEndian.Uint64(b[p.Off+p.Filesz-8:])
		}
		if p.Type == elf.PT_LOAD && entry >= p.Vaddr && entry+uint64(len(off)) <= p.Vaddr+p.Filesz {
			copy(b[p.Off+entry-p.Vaddr:], off)
			return os.WriteFile(stub, b, 0o755)
		}
	}
	return fmt.Errorf("%s has no PVH note with an entry in a segment: build it by kbuild", image)
}

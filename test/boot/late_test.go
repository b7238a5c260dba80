package boot

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// A CPU that comes to life after the boot gave up on it halts, and nothing else changes. QEMU's gdb stub holds the CPU back: from
// the image's first instruction on its virtual CPU stands still, so that INIT and SIPI find it and are not acted upon until the
// debugger lets it go, while the others boot or when they are at the prompt.
func TestLateCPU(t *testing.T) {
	Need(t)
	const commands = "cpu -j\nnuma -j\nrun -j\npoweroff 7\n"
	for _, c := range []struct {
		name     string
		held     int    // index of the virtual CPU, and its APIC ID
		until    string // what the console says when it is let go
		commands string
		status   int
	}{
		{"during the boot", 1, "did not start", commands, 7},
		{"at the prompt", 2, "uptime_ns", commands, 7},
		{"before a crash", 3, "uptime_ns", "crash\n", 254},
	} {
		t.Run(c.name, func(t *testing.T) {
			image := Image(t, ".")
			l := late{gdb: newGDB(t), held: c.held, said: make(chan bool, 1), start: entry(t, image)}
			l.halt[0], l.halt[1] = symbol(t, image, "pdac/asm.HLT.abi0")
			keys, typing := io.Pipe()
			done := make(chan error)
			go func() {
				err := l.debug()
				if err == nil {
					_, err = io.WriteString(typing, c.commands)
				}
				typing.Close()
				done <- err
			}()
			r := Boot(t, Options{CPUs: 4, Nodes: 1, Input: keys, Raw: l.options(), Exec: "version -j", Line: func(line string) {
				if strings.Contains(line, c.until) {
					select {
					case l.said <- true:
					default:
					}
				}
			}})
			close(l.said)
			if err := <-done; err != nil {
				t.Error(err)
			}
			r.Want(t, c.status, fmt.Sprintf("cpu: APIC ID %d did not start; left out\n", c.held))
			if t.Failed() {
				return
			}
			if c.commands == commands {
				a := absence{madt: []uint8{0, 1, 2, 3}, absent: []uint8{uint8(c.held)}, nodes: [][]int{{0, 1, 2}}}
				a.check(t, r)
				a.checkRun(t, r)
			} else if n := strings.Count(r.Output, "\nCPU "); n != 3 {
				t.Errorf("the dump tells of %d CPUs, want 3", n)
			}
		})
	}
}

// late is a debugger that holds one CPU back.
type late struct {
	*gdb
	held  int
	start uint64    // address of the image's first instruction
	halt  [2]uint64 // addresses of the function that halts: the end of a late CPU
	said  chan bool // the console said what the CPU is let go for; closed when the guest is gone
}

func (l *late) debug() error {
	if err := l.attach(); err != nil {
		return err
	}
	if err := l.runTo(l.start); err != nil {
		return err
	}
	if err := l.resume(slices.DeleteFunc([]int{0, 1, 2, 3}, func(c int) bool { return c == l.held })...); err != nil {
		return err
	}
	<-l.said
	if err := l.stop(); err != nil {
		return err
	}
	if at, err := l.rip(l.held); err != nil || l.halted(at) {
		return fmt.Errorf("the CPU that is held back is at %#x: %v", at, err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		if err := l.resume(); err != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond) // until the next look
		if err := l.stop(); err != nil {
			return err
		}
		at, err := l.rip(l.held)
		switch {
		case err != nil:
			return err
		case l.halted(at):
			return l.resume()
		case time.Now().After(deadline):
			return fmt.Errorf("the late CPU is at %#x, want it in its halt", at)
		}
	}
}

func (l *late) halted(rip uint64) bool { return l.halt[0] <= rip && rip < l.halt[1] }

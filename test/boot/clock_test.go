package boot

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestClock compares the guest's clock with the host's, then has all CPUs read
// it at once, which must not go back.
//
// The lines with the guest's time take a while to arrive, and the quickest of
// many takes about the same each time: so the least differences between the two
// clocks at the beginning and after ten seconds tell the drift. A busy host adds
// to the error, which is allowed a millisecond at each end.
func TestClock(t *testing.T) {
	Need(t)
	const seconds, target, jitter = 10, 100e-6, 2e-3
	start := time.Now()
	type reading struct{ guest, offset float64 } // s
	var readings []reading
	r := Boot(t, Options{Image: "./test/images/clock", CPUs: 4, Append: "-- " + strconv.Itoa(seconds), Line: func(line string) {
		host := time.Since(start).Seconds()
		if _, ns, ok := strings.Cut(line, "CLOCK "); ok {
			if guest, err := strconv.ParseFloat(ns, 64); err == nil {
				readings = append(readings, reading{guest / 1e9, host - guest/1e9})
			}
		}
	}})
	r.Want(t, 0, "none went back")
	if len(readings) != 400 {
		t.Fatalf("%d readings of the clock, want 400", len(readings))
	}
	least := func(of []reading) (m reading) {
		m = of[0]
		for _, r := range of {
			if r.offset < m.offset {
				m = r
			}
		}
		return m
	}
	first, last := least(readings[:200]), least(readings[200:])
	span := last.guest - first.guest
	drift := (last.offset - first.offset) / span
	fmt.Printf("note: clock: drift %.1f ppm over %.1f s\n", drift*1e6, span)
	if limit := target + jitter/span; math.Abs(drift) > limit {
		t.Errorf("the clock drifts by %.0f ppm from the host's, more than %.0f", drift*1e6, limit*1e6)
	}
}

// TestIdle measures what an idle guest at the prompt takes of the host.
func TestIdle(t *testing.T) {
	Need(t)
	const settle, span, most = 3 * time.Second, 20 * time.Second, 0.01
	script := exec.Command(filepath.Join(Root(t), "scripts/run-qemu.sh"), "--kernel", Image(t, "."), "--cpus", "4", "--dry-run")
	line, err := script.Output()
	if err != nil {
		t.Fatal(err)
	}
	qemu := exec.Command("bash", "-c", "exec "+string(line))
	keyboard, err := qemu.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	console, err := qemu.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := qemu.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		qemu.Process.Kill()
		qemu.Wait()
	}()
	if _, err := bufio.NewReader(console).ReadString('>'); err != nil {
		t.Fatal("no prompt: ", err)
	}
	go io.Copy(io.Discard, console)
	time.Sleep(settle)
	before := cpuTime(t, qemu.Process.Pid)
	time.Sleep(span)
	used := cpuTime(t, qemu.Process.Pid) - before
	keyboard.Close()
	share := used.Seconds() / span.Seconds()
	fmt.Printf("note: an idle guest takes %.2f%% of a host CPU\n", share*100)
	if share > most {
		t.Errorf("an idle guest takes %.2f%% of a host CPU, more than %.0f%%", share*100, most*100)
	}
}

// cpuTime returns the CPU time of a process, its threads included (proc(5)).
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	// The second field, the name in brackets, may contain anything.
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	if err1 != nil || err2 != nil {
		t.Fatalf("stat of the process: %q", b)
	}
	const perSecond = 100 // USER_HZ
	return time.Duration(user+system) * time.Second / perSecond
}

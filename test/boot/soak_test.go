package boot

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// soakMachine is what a soak runs on; model is QEMU's name of the CPU.
type soakMachine struct {
	cpus, nodes, mib int
	model            string
}

var soakMachines = []soakMachine{
	{cpus: 1, nodes: 1, mib: 128}, {cpus: 2, nodes: 2, mib: 512}, {cpus: 3, nodes: 3, mib: 1024}, {cpus: 4, nodes: 2, mib: 1024},
	{cpus: 4, nodes: 4, mib: 512}, {cpus: 8, nodes: 4, mib: 2048}, {cpus: 16, nodes: 4, mib: 1024},
}

// TestSoak runs the soak image for a minute, or $PDAC_SOAK seconds, on a machine
// that changes from run to run. $PDAC_SOAK_SEED repeats a run: it decides the
// machine as well.
func TestSoak(t *testing.T) {
	Need(t)
	seconds, seed, _ := soakFor(t, 60)
	r := rand.New(rand.NewPCG(seed, 1))
	m := soakMachines[r.IntN(len(soakMachines))]
	m.model = []string{"max", "max", "qemu64"}[r.IntN(3)]
	m.soak(t, seconds, seed)
}

// soakFor returns for how many seconds to soak, and the seed, as the environment says; long: it does say for how many.
func soakFor(t *testing.T, usual uint64) (seconds, seed uint64, long bool) {
	t.Helper()
	seconds, seed = usual, rand.Uint64N(1_000_000)
	for name, v := range map[string]*uint64{"PDAC_SOAK": &seconds, "PDAC_SOAK_SEED": &seed} {
		if s := os.Getenv(name); s != "" {
			n, err := strconv.ParseUint(s, 10, 32)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			*v = n
		}
	}
	return seconds, seed, os.Getenv("PDAC_SOAK") != ""
}

// soak runs the image on a machine. raw are more arguments of QEMU.
func (m soakMachine) soak(t *testing.T, seconds, seed uint64, raw ...string) {
	t.Helper()
	fmt.Printf("note: soak of %d s on %d CPUs (%s), %d nodes, %d MiB; PDAC_SOAK_SEED=%d\n", seconds, m.cpus, m.model, m.nodes, m.mib, seed)
	archive := filepath.Join(t.TempDir(), "files.cpio")
	mk := exec.Command("go", "run", "./cmd/mkarchive", "-o", archive, "test/images=workload")
	mk.Dir = Root(t)
	if msg, err := mk.CombinedOutput(); err != nil {
		t.Fatalf("making the archive: %v\n%s", err, msg)
	}
	b := Boot(t, Options{
		Image: "./test/images/soak", CPUs: m.cpus, Nodes: m.nodes, Mem: fmt.Sprintf("%dM", m.mib), CPU: m.model, Initrd: archive, Raw: raw,
		// A hang is for ever; what is short of a host's CPUs may stand still for longer
		// than the image's own limit.
		Append:  fmt.Sprintf("-- %d seed=%d stall=%d", seconds, seed, 60+2*m.cpus),
		Timeout: time.Duration(seconds)*2*time.Second + time.Duration(3+m.cpus/16)*time.Minute,
	})
	b.Want(t, 0, "SOAK OK")
	if strings.Contains(b.Output, "nothing to do") {
		t.Error("a load had nothing to do")
	}
	for line := range strings.Lines(b.Output) {
		if strings.Contains(line, "soak:") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

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

// soakMachines are what a soak may run on: CPUs, nodes, MiB.
var soakMachines = []struct{ cpus, nodes, mib int }{
	{1, 1, 128}, {2, 2, 512}, {3, 3, 1024}, {4, 2, 1024}, {4, 4, 512}, {8, 4, 2048}, {16, 4, 1024},
}

// TestSoak runs the soak image for a minute, or $PDAC_SOAK seconds, on a machine
// that changes from run to run. $PDAC_SOAK_SEED repeats a run: it decides the
// machine as well.
func TestSoak(t *testing.T) {
	Need(t)
	seconds, seed := uint64(60), rand.Uint64N(1_000_000)
	for name, v := range map[string]*uint64{"PDAC_SOAK": &seconds, "PDAC_SOAK_SEED": &seed} {
		if s := os.Getenv(name); s != "" {
			n, err := strconv.ParseUint(s, 10, 32)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			*v = n
		}
	}
	r := rand.New(rand.NewPCG(seed, 1))
	m := soakMachines[r.IntN(len(soakMachines))]
	cpu := []string{"max", "max", "qemu64"}[r.IntN(3)]
	fmt.Printf("note: soak of %d s on %d CPUs (%s), %d nodes, %d MiB; PDAC_SOAK_SEED=%d\n", seconds, m.cpus, cpu, m.nodes, m.mib, seed)

	archive := filepath.Join(t.TempDir(), "files.cpio")
	mk := exec.Command("go", "run", "./cmd/mkarchive", "-o", archive, "test/images=workload")
	mk.Dir = Root(t)
	if msg, err := mk.CombinedOutput(); err != nil {
		t.Fatalf("making the archive: %v\n%s", err, msg)
	}
	b := Boot(t, Options{
		Image: "./test/images/soak", CPUs: m.cpus, Nodes: m.nodes, Mem: fmt.Sprintf("%dM", m.mib), CPU: cpu, Initrd: archive,
		// A hang is for ever; what is short of a host's CPUs may stand still for longer
		// than the image's own limit.
		Append:  fmt.Sprintf("-- %d seed=%d stall=60", seconds, seed),
		Timeout: time.Duration(seconds)*2*time.Second + 3*time.Minute,
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

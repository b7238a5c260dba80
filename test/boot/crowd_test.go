package boot

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const crowdImage = "./test/images/crowd"

// crowd is how many tasks there were at once, and why there weren't more.
type crowd struct {
	Tasks   int
	Error   string
	Seconds float64
}

// TestCrowd spawns 10,000 tasks in 4 GiB; 1,000 in 1 GiB but for $PDAC_LONG.
func TestCrowd(t *testing.T) {
	Need(t)
	tasks, mem := 1000, "1G"
	if os.Getenv("PDAC_LONG") != "" {
		tasks, mem = 10_000, "4G"
	}
	r := Boot(t, Options{Image: crowdImage, CPUs: 2, Nodes: 2, Mem: mem, Append: fmt.Sprint("console=off -- ", tasks), Timeout: 10 * time.Minute})
	r.Want(t, 0)
	got := lines[crowd](t, r)
	t.Logf("%+v", got)
	if got["first"].Tasks != tasks || got["again"].Tasks != tasks/10 {
		t.Errorf("%+v", got)
	}
}

// TestCrowdInLittleMemory spawns more tasks than there is memory for: Spawn says so before the Go runtime has none left,
// and there may be others when these have ended.
func TestCrowdInLittleMemory(t *testing.T) {
	Need(t)
	r := Boot(t, Options{Image: crowdImage, CPUs: 1, Nodes: 1, Mem: "128M", Append: "console=off -- 10000"})
	r.Want(t, 0)
	got := lines[crowd](t, r)
	t.Logf("%+v", got)
	first, again := got["first"], got["again"]
	if first.Tasks < 500 || first.Tasks == 10_000 || !strings.Contains(first.Error, "out of memory") {
		t.Errorf("%+v", first)
	}
	if again.Tasks < 500 {
		t.Errorf("afterwards there were %d tasks: %s", again.Tasks, again.Error)
	}
}

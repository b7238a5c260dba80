package boot

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

const policyImage = "./test/images/policy"

// placed is what the image says of an experiment: pages by node.
type placed struct {
	What  string `json:"what"`
	Nodes [3]int `json:"nodes"`
	Error string `json:"error"`
}

func placements(t *testing.T, r Result) (p []placed) {
	t.Helper()
	for line := range strings.Lines(r.Output) {
		var x placed
		if strings.HasPrefix(line, `{"what"`) {
			if err := json.Unmarshal([]byte(line), &x); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			p = append(p, x)
		}
	}
	return p
}

func expectPlacements(t *testing.T, r Result, want ...placed) {
	t.Helper()
	got := placements(t, r)
	for i, w := range want {
		if i >= len(got) || got[i] != w {
			t.Fatalf("experiment %d: want %+v, the guest says %+v", i, w, got[min(i, len(got)):])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d experiments, want %d", len(got), len(want))
	}
}

// TestPolicyPlacesPages counts pages by node, exactly: there is memory for all.
func TestPolicyPlacesPages(t *testing.T) {
	Need(t)
	r := Boot(t, Options{Image: policyImage, CPUs: 6, Nodes: 3, Mem: "384M", Append: "console=off -- place", Timeout: time.Minute})
	r.Want(t, 0)
	expectPlacements(t, r,
		placed{"local", [3]int{300, 0, 0}, ""},
		placed{"local", [3]int{0, 300, 0}, ""},
		placed{"local", [3]int{0, 0, 300}, ""},
		placed{"area bind", [3]int{0, 0, 300}, ""},
		placed{"task bind", [3]int{0, 0, 300}, ""},
		placed{"area preferred", [3]int{0, 300, 0}, ""},
		placed{"task preferred", [3]int{0, 300, 0}, ""},
		placed{"area interleave", [3]int{100, 100, 100}, ""},
		placed{"task interleave", [3]int{100, 100, 100}, ""},
		placed{"area interleave two", [3]int{150, 0, 150}, ""},
		placed{"task interleave two", [3]int{150, 0, 150}, ""},
		placed{"strict", [3]int{300, 0, 0}, "input/output error"},
		placed{"move", [3]int{0, 300, 0}, ""},
		placed{"interleave 2 MiB", [3]int{512, 512, 512}, ""},
		placed{"gate, fresh", [3]int{0, 0, 300}, ""},
		placed{"gate", [3]int{0, 150, 150}, ""},
		placed{"gate, touched", [3]int{150, 150, 0}, ""},
		placed{"gate task", [3]int{0, 0, 300}, ""},
	)
}

// TestPolicyUnderPressure uses up node 1. What may come from elsewhere comes from node 2, which is nearer
// than 0; what went home is there again; and memory that is bound to the node ends the program as if there were none,
// by Go's own report, which needs memory of its own.
func TestPolicyUnderPressure(t *testing.T) {
	Need(t)
	var raw []string
	for i, size := range []int{128, 48, 128} {
		raw = append(raw, "-object", fmt.Sprintf("memory-backend-ram,id=r%d,size=%dM", i, size),
			"-numa", fmt.Sprintf("node,nodeid=%d,memdev=r%d,cpus=%d-%d", i, i, 2*i, 2*i+1))
	}
	raw = append(raw, "-numa", "dist,src=0,dst=1,val=30", "-numa", "dist,src=1,dst=2,val=15", "-numa", "dist,src=0,dst=2,val=20")
	r := Boot(t, Options{Image: policyImage, CPUs: 6, Nodes: NoNodes, Mem: "304M", Raw: raw, Append: "console=off -- full", Timeout: time.Minute})
	r.Want(t, 2, "linux: out of memory: no frame", "SIGBUS", "unexpected fault address", "goroutine ", "main.touch")
	expectPlacements(t, r, placed{"fallback", [3]int{0, 0, 1000}, ""}, placed{"came home", [3]int{0, 60, 0}, ""})
}

// TestPolicySamplesTellLocality has a thread use node 0's memory, from there and from elsewhere: all faults
// were local, and the samples know better.
func TestPolicySamplesTellLocality(t *testing.T) {
	Need(t)
	for node := range 2 {
		keys, typing := io.Pipe()
		end := time.AfterFunc(time.Minute, func() { typing.Close() }) // Boot waits for the end of its input
		r := Boot(t, Options{Image: policyImage, CPUs: 6, Nodes: 3, Mem: "384M", Exec: "numa sample 500",
			Append: fmt.Sprint("-- sample ", node), Input: keys, Timeout: time.Minute,
			Line: func(line string) {
				if strings.HasSuffix(line, "used") {
					go func() {
						io.WriteString(typing, "numa sample -j 0\npoweroff\n")
						typing.Close()
					}()
				}
			}})
		end.Stop()
		r.Want(t, 0)
		var n struct {
			Nodes []struct {
				Accesses []int `json:"accesses"`
			} `json:"nodes"`
			Rate    int `json:"sample_rate"`
			Sampled int `json:"sampled"`
		}
		r.JSON(t, "sampled", &n)
		seen, all := n.Nodes[node].Accesses, 0
		for _, k := range seen {
			all += k
		}
		if n.Rate != 0 || n.Sampled < 200 || all < 200 || seen[0]*100 < all*95 {
			t.Errorf("node %d: rate %d, %d samples; accesses to %v, want 95%% of at least 200 to node 0", node, n.Rate, n.Sampled, seen)
		}
	}
}

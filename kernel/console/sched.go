package console

import (
	"fmt"
	"io"
	"strings"
)

// The scheduler, as the operator sees and sets it.

// Sched is what each CPU's scheduler did. Counters are since boot.
type Sched struct {
	Classes  []SchedClass `json:"classes"`
	Strategy string       `json:"strategy"` // by which idle CPUs choose their victims
	CPUs     []SchedCPU   `json:"cpus"`
	Steals   []Steals     `json:"steals"`
}

// SchedClass is a class of tasks.
type SchedClass struct {
	Name      string `json:"name"`
	Policy    string `json:"policy"`
	QuantumNS uint64 `json:"quantum_ns"`
}

// SchedCPU is one CPU's part.
type SchedCPU struct {
	ID          int    `json:"id"`
	Node        int    `json:"node"`
	Task        uint32 `json:"task"`
	Queued      int    `json:"queued"`
	Switches    uint64 `json:"switches"`
	Preemptions uint64 `json:"preemptions"`
	Wakeups     uint64 `json:"wakeups"`
	Stolen      uint64 `json:"stolen"`   // tasks that it took from others
	Balanced    uint64 `json:"balanced"` // tasks that it moved to others
	Kicks       uint64 `json:"kicks"`
	IdleNS      uint64 `json:"idle_ns"`
}

// Steals counts attempts by strategy and distance.
type Steals struct {
	Strategy string `json:"strategy"`
	Distance int    `json:"distance"` // of the nodes, ACPI's: 10 is the own one
	Tried    uint64 `json:"tried"`
	Won      uint64 `json:"won"`
	Tasks    uint64 `json:"tasks"`
}

func runSched(c *Call) (Result, error) {
	if c.Sys.Sched == nil {
		return nil, errMissing
	}
	switch {
	case len(c.Args) == 0:
		return c.Sys.Sched(), nil
	case c.Args[0] == "trace":
		return runTrace(c)
	}
	set, ok := map[string]func(*Call) error{"policy": schedPolicy, "steal": schedSteal}[c.Args[0]]
	if !ok {
		return nil, fmt.Errorf("%q is none of policy, steal, trace", c.Args[0])
	}
	if err := set(c); err != nil {
		return nil, err
	}
	return c.Sys.Sched(), nil
}

// schedPolicy sets a class's policy.
func schedPolicy(c *Call) error {
	if len(c.Args) != 3 || c.Sys.SetPolicy == nil {
		return fmt.Errorf("policy wants a class and a policy, as in normal lottery")
	}
	return c.Sys.SetPolicy(c.Args[1], c.Args[2])
}

// schedSteal sets how victims are chosen.
func schedSteal(c *Call) error {
	if len(c.Args) != 2 || c.Sys.SetStrategy == nil {
		return fmt.Errorf("steal wants one of random, circular, affinity")
	}
	return c.Sys.SetStrategy(c.Args[1])
}

func (r Sched) Print(w io.Writer) {
	var classes []string
	for _, c := range r.Classes {
		classes = append(classes, fmt.Sprintf("%s: %s, %.3g ms", c.Name, c.Policy, float64(c.QuantumNS)/1e6))
	}
	fmt.Fprintf(w, "%s\n", strings.Join(classes, "; "))
	var t table
	t.row("cpu", "node", "task", "queued", "switches", "preempted", "wakeups", "stolen", "moved", "idle")
	for _, c := range r.CPUs {
		t.row(c.ID, c.Node, c.Task, c.Queued, c.Switches, c.Preemptions, c.Wakeups, c.Stolen, c.Balanced, seconds(c.IdleNS))
	}
	t.print(w)
	fmt.Fprintf(w, "victims by %s\n", r.Strategy)
	if len(r.Steals) == 0 {
		return
	}
	t = table{}
	t.row("strategy", "distance", "tried", "won", "tasks")
	for _, s := range r.Steals {
		t.row(s.Strategy, s.Distance, s.Tried, s.Won, s.Tasks)
	}
	t.print(w)
}

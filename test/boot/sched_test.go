package boot

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pdac/kernel/console"
)

// reports returns the lines of output that are an object with a field, in order.
func reports[T any](t *testing.T, r Result, field string) (all []T) {
	t.Helper()
	for line := range strings.Lines(r.Output) {
		var fields map[string]json.RawMessage
		if json.Unmarshal([]byte(line), &fields) != nil || fields[field] == nil {
			continue
		}
		var x T
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, x)
	}
	return all
}

// TestSchedCommand sets what the console's sched sets, and sees it in its next report; and the trace shows what the scheduler did.
func TestSchedCommand(t *testing.T) {
	Need(t)
	r := Boot(t, Options{CPUs: 4, Nodes: 2, Exec: "sched -j; sched -j policy normal lottery; sched -j steal circular; sched trace on; run; " +
		"sched trace -j 50; sched policy latency lottery; sched steal best; sched -j policy normal rr; sched -j steal random; poweroff 5"})
	r.Want(t, 5, `class "latency" is none of normal, batch`, `"best" is none of random, circular, affinity`)

	s := reports[console.Sched](t, r, "strategy")
	if len(s) != 5 {
		t.Fatalf("%d reports, want 5", len(s))
	}
	for i, want := range []struct{ policy, strategy string }{
		{"rr", "affinity"}, {"lottery", "affinity"}, {"lottery", "circular"}, {"rr", "circular"}, {"rr", "random"}} {
		if n := s[i].Classes[0]; n.Name != "normal" || n.Policy != want.policy || s[i].Strategy != want.strategy {
			t.Errorf("report %d: class %+v, strategy %s, want %+v", i, n, s[i].Strategy, want)
		}
	}
	last := s[len(s)-1]
	if len(last.CPUs) != 4 || last.CPUs[3].Node != 1 || last.CPUs[0].Switches == 0 {
		t.Errorf("CPUs %+v", last.CPUs)
	}
	var stolen, taken uint64
	for _, c := range last.CPUs {
		stolen += c.Stolen
	}
	for _, k := range last.Steals {
		if k.Won > k.Tried || k.Tasks < k.Won || k.Distance < 10 {
			t.Errorf("%+v", k)
		}
		taken += k.Tasks
	}
	if stolen > taken { // read later
		t.Errorf("%d tasks stolen, %d by strategy", stolen, taken)
	}

	traces := reports[console.Trace](t, r, "traceEvents")
	if len(traces) != 1 || !traces[0].On {
		t.Fatalf("%d traces, want one with events", len(traces))
	}
	kinds := map[string]int{}
	for _, e := range traces[0].Events {
		kinds[e.Phase]++
		if !slices.Contains([]string{"X", "i", "M"}, e.Phase) || e.CPU < 0 || e.CPU > 3 || e.Time < 0 || e.Duration < 0 {
			t.Errorf("%+v", e)
		}
	}
	if kinds["X"] == 0 || kinds["i"] == 0 || kinds["M"] == 0 {
		t.Errorf("events by phase: %v", kinds)
	}
}

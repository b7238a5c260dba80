package console

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// withSched gives a machine a scheduler.
func withSched(policy, strategy *string, on *bool) System {
	return System{
		Sched: func() Sched {
			return Sched{Classes: []SchedClass{{"normal", "rr", 10_000_000}, {"latency", "fifo", 500_000}}, Strategy: "affinity",
				CPUs:   []SchedCPU{{ID: 0, Task: 7, Queued: 3, Switches: 100, Stolen: 4, IdleNS: 1_500_000_000}},
				Steals: []Steals{{"affinity", 21, 9, 4, 6}}}
		},
		SetPolicy: func(class, p string) error {
			if class != "normal" {
				return errors.New("no class " + class)
			}
			*policy = p
			return nil
		},
		SetStrategy: func(s string) error { *strategy = s; return nil },
		SetTracing:  func(o bool) bool { *on = o; return true },
		Trace: func(n int) ([]SchedEvent, bool) {
			all := []SchedEvent{
				{TimeNS: 5000, CPU: 1, Node: 1, Kind: "steal", Task: 8, Name: "b", Other: 0},
				{TimeNS: 5500, CPU: 1, Node: 1, Kind: "run", Task: 8, Name: "b"},
				{TimeNS: 1000, CPU: 0, Kind: "park", Task: 3, Name: "old"},
				{TimeNS: 2000, CPU: 0, Kind: "run", Task: 7, Name: "a"},
				{TimeNS: 3000, CPU: 0, Kind: "wake", Task: 8, Name: "b", Other: 0},
				{TimeNS: 4500, CPU: 0, Kind: "preempt", Task: 7, Name: "a"},
				{TimeNS: 4600, CPU: 0, Kind: "idle"},
			}
			return all[:min(n, len(all))], *on
		},
	}
}

func TestSched(t *testing.T) {
	var policy, strategy string
	var on bool
	sys := withSched(&policy, &strategy, &on)
	for _, c := range []struct{ cmd, want string }{
		{"sched", "normal: rr, 10 ms; latency: fifo, 0.5 ms\ncpu  node  task  queued  switches  preempted  wakeups  stolen  moved  idle\n" +
			"  0     0     7       3       100          0        0       4      0  1.500 s\nvictims by affinity\nstrategy  distance  tried  won  tasks\naffinity        21      9    4  6\n"},
		{"sched policy normal lottery", "victims by affinity"},
		{"sched policy x lottery", "sched: no class x\n"},
		{"sched policy normal", "sched: policy wants a class and a policy, as in normal lottery\n"},
		{"sched steal circular", "victims by"},
		{"sched steal", "sched: steal wants one of random, circular, affinity\n"},
		{"sched fast", "sched: \"fast\" is none of policy, steal, trace\n"},
		{"sched trace 1", "events are not kept: sched trace on\n"},
		{"sched trace 0", "sched: events \"0\" is not a number from 1 to 1024\n"},
		{"sched trace on", "0.000003    0  wake        8      0  b\n"},
	} {
		if got := exec(t, sys, c.cmd); !strings.Contains(got, c.want) {
			t.Errorf("%s printed\n%s\nwant\n%s", c.cmd, got, c.want)
		}
	}
	if policy != "lottery" || strategy != "circular" || !on {
		t.Errorf("set %q, %q, %v", policy, strategy, on)
	}
}

func TestDAG(t *testing.T) {
	sys := System{DAG: func() DAG {
		return DAG{[]Executor{{ID: 0, Strategy: "affinity", InFlight: 64, Active: 1, Succeeded: 9, Functions: 90, Steals: []DAGSteals{{"affinity", 10, 5, 3}},
			Workers: []DAGWorker{{0, "busy", 90, 4, 7}}}}}
	}}
	want := "executor 0: 1 of 64 runs under way; 9 succeeded, 0 failed, 0 cancelled\n90 functions called, 0 passed; victims by affinity\n" +
		"worker  node  functions  parked  offered  state\n     0     0         90       4        7  busy\n" +
		"strategy  distance  tried  won\naffinity        10      5  3\n"
	if got := exec(t, sys, "dag"); !strings.Contains(got, want) {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

// TestTraceFormat: what Perfetto reads is slices and instants.
func TestTraceFormat(t *testing.T) {
	on := true
	var got struct {
		TraceEvents []TraceEvent
	}
	if err := json.Unmarshal([]byte(exec(t, withSched(nil, nil, &on), "sched trace -j 100")), &got); err != nil {
		t.Fatal(err)
	}
	var slices, instants []TraceEvent
	names := 0
	for _, e := range got.TraceEvents {
		switch e.Phase {
		case "X":
			slices = append(slices, e)
		case "i":
			instants = append(instants, e)
		case "M":
			names++
		default:
			t.Errorf("%+v", e)
		}
	}
	if len(slices) != 2 || len(instants) != 2 || names != 4 {
		t.Fatalf("%d slices, %d instants, %d names: %+v", len(slices), len(instants), names, got)
	}
	if s := slices[0]; s.Name != "a 7" || s.Time != 2 || s.Duration != 2.5 || s.Args.Why != "preempt" || s.CPU != 0 {
		t.Errorf("%+v", s)
	}
	if s := slices[1]; s.Name != "b 8" || s.Time != 5.5 || s.Duration != 0 || s.Args.Why != "" || s.CPU != 1 || s.Node != 1 {
		t.Errorf("%+v", s)
	}
	if s := instants[1]; s.Name != "steal" || s.Args.Other != 0 || s.Args.Task != 8 || s.Scope != "t" {
		t.Errorf("%+v", s)
	}
}

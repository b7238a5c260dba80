package console

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Trace is the last events of each CPU's scheduler. With -j it is in the Trace Event Format of
// Chrome's about:tracing (its Object Format), which Perfetto opens: a slice for each time that a task
// was on a CPU, instants for all else, and names.
type Trace struct {
	On     bool         `json:"tracing"`
	Events []TraceEvent `json:"traceEvents"`

	raw []SchedEvent
}

// TraceEvent is a slice, an instant or a name. Times are in microseconds since boot.
type TraceEvent struct {
	Name     string    `json:"name"`
	Phase    string    `json:"ph"` // X: a slice; i: an instant; M: a name
	Time     float64   `json:"ts"`
	Duration float64   `json:"dur"`
	Node     int       `json:"pid"`
	CPU      int       `json:"tid"`
	Scope    string    `json:"s"` // t: an instant is its CPU's
	Args     TraceArgs `json:"args"`
}

// TraceArgs tells more about an event.
type TraceArgs struct {
	Name  string `json:"name"` // that a name gives
	Task  uint32 `json:"task"`
	Why   string `json:"why"`   // how a slice ended: preempt, park, exit; empty if it hasn't
	Other int    `json:"other"` // the other CPU that an instant is about; -1: none
}

// SchedEvent is what the scheduler remembers.
type SchedEvent struct {
	TimeNS    uint64
	CPU, Node int
	Kind      string // run, preempt, park, exit, idle, wake, steal, balance
	Task      uint32
	Name      string // of the task
	Other     int    // CPU; of wake, steal and balance
}

const (
	usualEvents = 20
	mostEvents  = 1024
)

func runTrace(c *Call) (Result, error) {
	if c.Sys.Trace == nil || c.Sys.SetTracing == nil {
		return nil, errMissing
	}
	if len(c.Args) > 1 && (c.Args[1] == "on" || c.Args[1] == "off") {
		if on := c.Args[1] == "on"; !c.Sys.SetTracing(on) {
			return nil, fmt.Errorf("no memory for events")
		}
		c.Args = c.Args[:1]
	}
	n, err := c.Number(1, "events", 1, mostEvents, usualEvents)
	if err != nil {
		return nil, err
	}
	r := Trace{}
	r.raw, r.On = c.Sys.Trace(n)
	slices.SortStableFunc(r.raw, func(a, b SchedEvent) int { return cmp.Compare(a.TimeNS, b.TimeNS) })
	r.Events = traceEvents(r.raw)
	return r, nil
}

// traceEvents makes slices of the times that tasks were on CPUs.
func traceEvents(raw []SchedEvent) []TraceEvent {
	us := func(ns uint64) float64 { return float64(ns) / 1000 }
	var events []TraceEvent
	running := map[int]int{} // by CPU: the slice under way
	named := map[int]bool{}
	for _, e := range raw {
		if !named[e.CPU] {
			named[e.CPU] = true
			for _, n := range [...]struct{ of, name string }{{"process_name", "node " + strconv.Itoa(e.Node)}, {"thread_name", "CPU " + strconv.Itoa(e.CPU)}} {
				events = append(events, TraceEvent{Name: n.of, Phase: "M", Node: e.Node, CPU: e.CPU, Args: TraceArgs{Name: n.name, Other: -1}})
			}
		}
		x := TraceEvent{Phase: "i", Time: us(e.TimeNS), Node: e.Node, CPU: e.CPU, Scope: "t", Args: TraceArgs{Task: e.Task, Other: -1}}
		switch e.Kind {
		case "idle":
			continue
		case "run":
			x.Name, x.Phase, x.Scope = fmt.Sprintf("%s %d", e.Name, e.Task), "X", ""
			running[e.CPU] = len(events)
		case "preempt", "park", "exit":
			i, ok := running[e.CPU]
			if !ok {
				continue // it began before the first event
			}
			delete(running, e.CPU)
			events[i].Duration, events[i].Args.Why = x.Time-events[i].Time, e.Kind
			continue
		default:
			x.Name, x.Args.Other = e.Kind, e.Other
		}
		events = append(events, x)
	}
	if len(raw) == 0 {
		return nil
	}
	for _, i := range running { // still there
		events[i].Duration = us(raw[len(raw)-1].TimeNS) - events[i].Time
	}
	return events
}

func (r Trace) Print(w io.Writer) {
	var t table
	t.row("time", "cpu", "event", "task", "other", "name")
	for _, e := range r.raw {
		other := "-"
		if e.Kind == "wake" || e.Kind == "steal" || e.Kind == "balance" {
			other = strconv.Itoa(e.Other)
		}
		t.row(fmt.Sprintf("%.6f", float64(e.TimeNS)/1e9), e.CPU, e.Kind, e.Task, other, e.Name)
	}
	t.print(w)
	if !r.On {
		fmt.Fprintln(w, "events are not kept: sched trace on")
	}
}

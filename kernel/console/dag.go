package console

import (
	"fmt"
	"io"
)

// DAG is the executors of graphs.
type DAG struct {
	Executors []Executor `json:"executors"`
}

// Executor is one of them. Counters are since its creation.
type Executor struct {
	ID        int         `json:"id"`
	Strategy  string      `json:"strategy"`
	InFlight  int         `json:"in_flight"` // runs under way, at most
	Active    int         `json:"active"`    // runs under way
	Succeeded uint64      `json:"succeeded"`
	Failed    uint64      `json:"failed"`
	Cancelled uint64      `json:"cancelled"`
	Functions uint64      `json:"functions"`
	Passed    uint64      `json:"passed"`
	Steals    []DAGSteals `json:"steals"`
	Workers   []DAGWorker `json:"workers"`
}

// DAGSteals counts attempts by strategy and distance.
type DAGSteals struct {
	Strategy string `json:"strategy"`
	Distance int    `json:"distance"`
	Tried    uint64 `json:"tried"`
	Won      uint64 `json:"won"`
}

// DAGWorker is a worker.
type DAGWorker struct {
	Node      int    `json:"node"`
	State     string `json:"state"`
	Functions uint64 `json:"functions"`
	Parks     uint64 `json:"parks"`
	Offered   int    `json:"offered"`
}

func (r DAG) Print(w io.Writer) {
	if len(r.Executors) == 0 {
		fmt.Fprintln(w, "no executors")
		return
	}
	for _, e := range r.Executors {
		fmt.Fprintf(w, "executor %d: %d of %d runs under way; %d succeeded, %d failed, %d cancelled\n", e.ID, e.Active, e.InFlight, e.Succeeded, e.Failed, e.Cancelled)
		fmt.Fprintf(w, "%d functions called, %d passed; victims by %s\n", e.Functions, e.Passed, e.Strategy)
		var t table
		t.row("worker", "node", "functions", "parked", "offered", "state")
		for i, x := range e.Workers {
			t.row(i, x.Node, x.Functions, x.Parks, x.Offered, x.State)
		}
		t.print(w)
		if len(e.Steals) == 0 {
			continue
		}
		t = table{}
		t.row("strategy", "distance", "tried", "won")
		for _, s := range e.Steals {
			t.row(s.Strategy, s.Distance, s.Tried, s.Won)
		}
		t.print(w)
	}
}

// Crowd spawns as many tasks as it is told, or as there can be, which wait for each other's end, and prints how many there
// were at once. What is refused leaves a machine that goes on: afterwards there may be tasks again.
package main

import (
	"encoding/json"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	_ "pdac/board/qemu-amd64"
	"pdac/kernel/gate"
)

// report is what came of a round.
type report struct {
	What    string  `json:"what"`
	Tasks   int     `json:"tasks"` // that were there at once
	Error   string  `json:"error"` // why there weren't as many as wanted
	Seconds float64 `json:"seconds"`
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	check(err)
	round("first", n)
	round("again", n/10)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// round spawns n tasks, waits until all have begun, and then until all have ended.
func round(what string, n int) {
	root := gate.Root()
	r := report{What: what}
	start := time.Now()
	var begun atomic.Int32
	all := make(chan struct{})
	var tasks []gate.ID
	for range n {
		id, err := gate.Spawn(root.Task, gate.TaskOptions{Name: "one of many"}, func() {
			begun.Add(1)
			<-all
		})
		if err != nil {
			r.Error = err.Error()
			break
		}
		tasks = append(tasks, id)
	}
	for begun.Load() < int32(len(tasks)) {
		time.Sleep(10 * time.Millisecond)
	}
	r.Tasks = len(tasks)
	close(all)
	for _, id := range tasks {
		check(gate.TaskJoin(id, nil))
		check(gate.CapDelete(id))
	}
	r.Seconds = time.Since(start).Seconds()
	check(json.NewEncoder(os.Stdout).Encode(r))
}

// Tasks spawns tasks that compute as fast as they can, on one CPU, and prints what share of it each got: first by
// round robin, then by lottery with tickets. Last it ends one that would never end.
package main

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	_ "pdac/board/qemu-amd64"
	"pdac/kernel/gate"
)

func main() {
	if err := run(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// turns counts what a task did, on a cache line of its own.
type turns struct {
	atomic.Uint64
	_ [56]byte
}

func run() error {
	root := gate.Root()
	var count [4]turns
	var stop atomic.Bool
	var tasks [len(count)]gate.ID
	for i := range tasks {
		id, err := gate.Spawn(root.Task, gate.TaskOptions{
			Name:    fmt.Sprint("worker ", i),
			Tickets: 100 * (i + 1),
			Quantum: time.Millisecond,
			CPUs:    []int{0},
		}, func() {
			for !stop.Load() {
				count[i].Add(1)
			}
		})
		if err != nil {
			return err
		}
		tasks[i] = id
	}
	for range 2 {
		before := [len(count)]uint64{}
		for i := range count {
			before[i] = count[i].Load()
		}
		time.Sleep(time.Second)
		var sum uint64
		for i := range count {
			before[i] = count[i].Load() - before[i]
			sum += before[i]
		}
		for i, id := range tasks {
			s, err := gate.TaskState(id)
			if err != nil {
				return err
			}
			fmt.Printf("worker %d: %4.1f%% of the turns, %v of CPU time, %d switches\n", i, 100*float64(before[i])/float64(sum), s.Used.Round(time.Millisecond), s.Switches)
		}
	}
	stop.Store(true)
	for _, id := range tasks {
		if err := gate.TaskJoin(id, nil); err != nil {
			return err
		}
	}

	sleeper, err := gate.Spawn(root.Task, gate.TaskOptions{Name: "sleeper"}, func() { gate.TaskSleep(root.Task, time.Hour) })
	if err != nil {
		return err
	}
	if err := gate.TaskKill(sleeper); err != nil {
		return err
	}
	if err := gate.TaskJoin(sleeper, nil); !errors.Is(err, gate.ErrKilled) {
		return fmt.Errorf("the sleeper ended with %v", err)
	}
	fmt.Println("the sleeper was killed")
	return nil
}

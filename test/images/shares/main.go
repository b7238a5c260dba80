// Shares has tasks that never yield compete for one CPU, and prints what each got of it, and how long the Go runtime
// waits for them: a JSON object for each experiment. It wants one CPU; test/boot judges.
package main

import (
	"encoding/json"
	"os"
	"syscall"
	"time"

	"pdac/kernel/gate"
	"pdac/kernel/sched"
)

var root = gate.Root()

func main() {
	experiments := map[string]func(){"shares": shares, "stops": stops}
	// Who conducts is in class Latency, so that none of the tasks that compete makes it wait.
	id := must(gate.Spawn(root.Task, gate.TaskOptions{Name: "conductor", Class: gate.Latency}, experiments[os.Args[1]]))
	check(gate.TaskJoin(id, nil))
	os.Exit(0) // some tasks never end
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func tell(report any) { check(json.NewEncoder(os.Stdout).Encode(report)) }

// sleep waits in the kernel: time.Sleep would wait for a thread of the Go runtime, which competes with the tasks.
func sleep(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	for syscall.Nanosleep(&t, &t) == syscall.EINTR {
	}
}

// The quantum of the tasks, and of their class, in whose quanta the limits of ageing are: short, so that many fit in a
// run. For the lottery it is so long that tasks of few tickets wait for more than 10 ms: these the Go runtime interrupts.
const (
	short = 250 * time.Microsecond
	long  = time.Millisecond
)

func shares() {
	equal := make([]gate.TaskOptions, 8)
	two := make([]gate.TaskOptions, 8) // of 8 are more urgent
	two[0].Priority, two[1].Priority = -1, -1
	tickets, priorities := make([]gate.TaskOptions, 8), make([]gate.TaskOptions, 8)
	for i := range 8 {
		tickets[i].Tickets = 100 * (i + 1)
		priorities[i].Priority = gate.MinPriority + i
	}
	compete("equal", sched.RoundRobin, short, time.Second, equal)
	compete("two", sched.RoundRobin, short, time.Second, two)
	compete("priorities", sched.RoundRobin, short, time.Second, priorities)
	compete("equal tickets", sched.Lottery, short, time.Second, equal)
	compete("tickets", sched.Lottery, long, 4*time.Second, tickets)
	endless()
}

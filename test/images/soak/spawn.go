//go:build pdac

package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"pdac/kernel/gate"
	"pdac/kernel/sched"
)

// What only PDAC has: tasks of the gate, and policies that change under them. Last, so that a seed means what it meant.
func init() {
	procsShared = true
	loads = append(loads,
		&load{name: "spawn", most: 3, start: spawns},
		&load{name: "policies", most: 1, start: policies})
}

// options returns what a task may be like. It is on one CPU, if any is named.
func (w *worker) options() gate.TaskOptions {
	o := gate.TaskOptions{
		Class:    gate.Class(w.IntN(3)),
		Priority: gate.MinPriority + w.IntN(gate.MaxPriority-gate.MinPriority+1),
		Tickets:  w.IntN(gate.MaxTickets + 1),
	}
	if w.IntN(2) == 0 {
		o.Quantum = gate.MinQuantum << w.IntN(11)
	}
	if w.IntN(2) == 0 {
		o.CPUs = []int{w.IntN(runtime.NumCPU())}
	}
	return o
}

// spawned is a task, and what it is to do: compute, wait, and say where it is, a few times.
type spawned struct {
	id     gate.ID
	rounds uint64
	sum    atomic.Uint64
	cpu    int // the only one where it may be; -1: it is free
	killed bool
}

// spawns makes a few tasks at a time, kills some and tunes some, and joins them.
func spawns(w *worker) func() {
	root := gate.Root()
	return func() {
		tasks := make([]*spawned, 1+w.IntN(8))
		for i := range tasks {
			o := w.options()
			o.Name = fmt.Sprint("soak ", i)
			x := &spawned{rounds: uint64(1 + w.IntN(30)), cpu: -1}
			if len(o.CPUs) == 1 && w.IntN(2) == 0 {
				x.cpu = o.CPUs[0]
			}
			pause := time.Duration(w.IntN(500_000))
			id, err := gate.Spawn(root.Task, o, func() { x.run(w.load, root.Task, pause) })
			if errors.Is(err, gate.ErrMemory) || errors.Is(err, gate.ErrFull) {
				tasks = tasks[:i]
				break
			}
			must(err, "gate.Spawn")
			x.id, tasks[i] = id, x
		}
		for range w.IntN(2*len(tasks) + 1) {
			x := tasks[w.IntN(len(tasks))]
			if w.IntN(3) == 0 {
				x.killed = true
				must(gate.TaskKill(x.id), "gate.TaskKill")
			} else if x.cpu < 0 {
				if err := gate.TaskTune(x.id, w.options()); err != nil && !errors.Is(err, gate.ErrWouldBlock) {
					bad("spawn: TaskTune: %v", err)
				}
			}
			w.beat()
		}
		for _, x := range tasks {
			x.end()
			w.beat()
		}
	}
}

func (x *spawned) run(l *load, task gate.ID, pause time.Duration) {
	for i := range x.rounds {
		at, err := gate.TaskInfo(task)
		must(err, "gate.TaskInfo")
		if x.cpu >= 0 && at.CPU != x.cpu {
			bad("spawn: a task that is bound to CPU %d runs on %d", x.cpu, at.CPU)
		}
		for v := range uint64(10_000) {
			x.sum.Add(v)
		}
		switch i % 3 {
		case 0:
			must(gate.TaskSleep(task, pause), "gate.TaskSleep")
		case 1:
			must(gate.TaskYield(task), "gate.TaskYield")
		}
		l.beat()
	}
}

// end joins the task, and checks how it ended.
func (x *spawned) end() {
	err := gate.TaskJoin(x.id, nil)
	switch want := x.rounds * 10_000 * 9_999 / 2; {
	case errors.Is(err, gate.ErrKilled):
		if !x.killed {
			bad("spawn: a task that nobody killed ended as if")
		}
	case err != nil:
		bad("spawn: TaskJoin: %v", err)
	case x.sum.Load() != want: // also if it was killed too late
		bad("spawn: a task's sum is %d, want %d", x.sum.Load(), want)
	}
	s, err := gate.TaskState(x.id)
	if err != nil || !s.Ended || s.Thread != 0 || s.Killed && !x.killed {
		bad("spawn: an ended task is %+v: %v", s, err)
	}
	must(gate.CapDelete(x.id), "gate.CapDelete")
}

// policies changes how the scheduler chooses, and for how long.
func policies(w *worker) func() {
	classes := []sched.Class{sched.ClassNormal, sched.ClassLatency, sched.ClassBatch}
	return func() {
		c := classes[w.IntN(len(classes))]
		p := sched.Policy(w.IntN(2))
		if c == sched.ClassLatency {
			p = sched.RoundRobin // has no other
		}
		sched.SetPolicy(c, p)
		if got := sched.PolicyOf(c); got != p {
			bad("policies: %d, want %d", got, p)
		}
		sched.SetClassQuantum(c, sched.MinQuantum<<w.IntN(11))
		w.beat()
		time.Sleep(time.Duration(w.IntN(20_000_000)))
		if w.IntN(4) == 0 {
			for _, c := range classes {
				sched.SetPolicy(c, sched.RoundRobin)
				sched.SetClassQuantum(c, sched.DefaultQuantum)
			}
		}
	}
}

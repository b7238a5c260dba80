package main

import (
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"pdac/kernel/gate"
	"pdac/kernel/sched"
)

// spinners are tasks that do nothing but to look whether they may end.
type spinners struct {
	tasks []gate.ID
	stop  atomic.Bool
}

// spin starts a task for each of the options, all on CPU 0, and returns when all have run.
func spin(options []gate.TaskOptions) *spinners {
	var s spinners
	var begun atomic.Int32
	for _, o := range options {
		o.CPUs = []int{0}
		s.tasks = append(s.tasks, must(gate.Spawn(root.Task, o, func() {
			begun.Add(1)
			for !s.stop.Load() {
			}
		})))
	}
	for begun.Load() < int32(len(options)) {
		sleep(time.Millisecond)
	}
	return &s
}

func (s *spinners) end() {
	s.stop.Store(true)
	for _, id := range s.tasks {
		check(gate.TaskJoin(id, nil))
	}
}

// used returns the CPU time and the turns of each.
func (s *spinners) used() (ns, turns []uint64) {
	for _, id := range s.tasks {
		state := must(gate.TaskState(id))
		ns, turns = append(ns, uint64(state.Used)), append(turns, state.Switches)
	}
	return ns, turns
}

// competition is what tasks got of the CPU.
type competition struct {
	What  string    `json:"what"`
	Share []float64 `json:"share"` // percent of what all of them got
	Turns []uint64  `json:"turns"`
	CPU   float64   `json:"cpu"` // percent of the time that they had it, all together
	GC    float64   `json:"gc"`  // ms that a garbage collection takes meanwhile
}

// compete has tasks compete for a time.
func compete(what string, p sched.Policy, quantum, long time.Duration, options []gate.TaskOptions) {
	sched.SetPolicy(sched.ClassNormal, p)
	sched.SetClassQuantum(sched.ClassNormal, uint64(quantum))
	for i := range options {
		options[i].Quantum = quantum
	}
	s := spin(options)
	start := time.Now()
	ns, turns := s.used()
	sleep(long)
	after, turnsAfter := s.used()
	wall := time.Since(start)

	r := competition{What: what}
	var sum uint64
	for i := range ns {
		ns[i] = after[i] - ns[i]
		sum += ns[i]
		r.Turns = append(r.Turns, turnsAfter[i]-turns[i])
	}
	for i := range ns {
		r.Share = append(r.Share, 100*float64(ns[i])/float64(sum))
	}
	r.CPU = 100 * float64(sum) / float64(wall)
	start = time.Now()
	runtime.GC()
	r.GC = time.Since(start).Seconds() * 1e3
	s.end()
	tell(r)
	sched.SetPolicy(sched.ClassNormal, sched.RoundRobin)
	sched.SetClassQuantum(sched.ClassNormal, sched.DefaultQuantum)
}

// loop is what came of a task that is an endless loop, beside one that reads the clock.
type loop struct {
	What    string  `json:"what"`
	Mean    float64 `json:"mean"`    // us of the loop's turns
	Typical float64 `json:"typical"` // us that the other was without the CPU: the median of what was longer than half a quantum
}

// endless has a task be an endless loop. It never ends.
func endless() {
	const quantum = 2 * time.Millisecond
	o := gate.TaskOptions{Quantum: quantum, CPUs: []int{0}}
	id := must(gate.Spawn(root.Task, o, func() {
		for {
		}
	}))
	var gaps []time.Duration
	reader := must(gate.Spawn(root.Task, o, func() {
		start := time.Now()
		for last := time.Duration(0); last < time.Second; {
			now := time.Since(start)
			if gap := now - last; gap > quantum/2 {
				gaps = append(gaps, gap)
			}
			last = now
		}
	}))
	check(gate.TaskJoin(reader, nil))
	state := must(gate.TaskState(id))
	slices.Sort(gaps)
	tell(loop{"endless", float64(state.Used) / 1e3 / float64(state.Switches), float64(gaps[len(gaps)/2]) / 1e3})
}

package sim

import (
	"testing"

	"pdac/kernel/sched"
)

// BenchmarkSpawn is a task's whole life but for its computing: made, queued, switched to, ended.
func BenchmarkSpawn(b *testing.B) {
	bare()
	for b.Loop() {
		t, _ := sched.New(0)
		sched.Enqueue(0, t)
		sched.Exit(0, sched.Leave(0))
	}
}

// BenchmarkYield is a switch between two tasks.
func BenchmarkYield(b *testing.B) {
	bare()
	for range 2 {
		t, _ := sched.New(0)
		sched.Enqueue(0, t)
	}
	t := sched.Leave(0)
	for b.Loop() {
		sched.Yield(0, t)
		t = sched.Leave(0)
	}
}

// BenchmarkWake is a switch and a wakeup.
func BenchmarkWake(b *testing.B) {
	bare()
	for range 2 {
		t, _ := sched.New(0)
		sched.Enqueue(0, t)
	}
	t := sched.Leave(0)
	seq := sched.Park(0, t, 0)
	u := sched.Leave(0)
	for b.Loop() {
		sched.Wake(0, t, seq, 0, false)
		seq = sched.Park(0, u, 0)
		t, u = u, sched.Leave(0)
	}
}

// bare is a machine of one CPU without a clock.
func bare() {
	sched.Init(sched.Machine{
		NCPU: 1, Nodes: make([]uint8, 1),
		Now:  func() uint64 { return 1 },
		Kick: func(int) {}, Arm: func(int, uint64) {},
		CPUs: make([]sched.CPU, 1), Tasks: make([]sched.Task, 64), TaskLinks: make([]uint32, 64),
		GrowTasks: func(int, uint32) bool { return true },
	})
}

package sched

import (
	"sync/atomic"
	"testing"
)

// fakeMachine is the hardware of the tests: a clock that the tests advance, IPIs and timers as words that the CPU loops poll.
type fakeMachine struct {
	clock  atomic.Uint64
	kicked []atomic.Uint32
	armed  []atomic.Uint64 // deadline, Never: none
	kicks  atomic.Uint64
	usable atomic.Uint32
}

func boot(tb testing.TB, ncpu, nnodes, ntasks, ntimers int) *fakeMachine {
	tb.Helper()
	f := &fakeMachine{kicked: make([]atomic.Uint32, ncpu), armed: make([]atomic.Uint64, ncpu)}
	f.clock.Store(1000)
	nodes := make([]uint8, ncpu)
	for i := range nodes {
		nodes[i] = uint8(i * nnodes / ncpu)
		f.armed[i].Store(Never)
	}
	Init(Machine{
		NCPU:  ncpu,
		Nodes: nodes,
		Now:   f.clock.Load,
		Kick: func(cpu int) {
			f.kicks.Add(1)
			f.kicked[cpu].Store(1)
		},
		Arm:        func(cpu int, deadline uint64) { f.armed[cpu].Store(deadline) },
		CPUs:       make([]CPU, ncpu),
		Tasks:      make([]Task, ntasks+1),
		TaskLinks:  make([]uint32, ntasks+1),
		GrowTasks:  func(_ int, n uint32) bool { f.usable.Store(n); return true },
		Timers:     make([]TimerNode, ntimers+1),
		TimerLinks: make([]uint32, ntimers+1),
		GrowTimers: func(_ int, n uint32) bool { return true },
	})
	return f
}

// interrupt does what the traps of a CPU do before Leave, if an interrupt is pending.
func (f *fakeMachine) interrupt(cpu int) bool {
	kicked := f.kicked[cpu].Swap(0) != 0
	if f.armed[cpu].Load() <= f.clock.Load() {
		f.armed[cpu].Store(Never)
		Tick(cpu)
		return true
	}
	return kicked
}

// spawn makes a task runnable.
func spawn(tb testing.TB, cpu int) ID {
	tb.Helper()
	t, ok := New(cpu)
	if !ok {
		tb.Fatal("New: no task")
	}
	Enqueue(cpu, t)
	return t
}

// leave is Leave, which must return want.
func leave(tb testing.TB, cpu int, want ID) {
	tb.Helper()
	if got := Leave(cpu); got != want {
		tb.Fatalf("Leave(%d) = %d, want %d", cpu, got, want)
	}
}

// check fails unless every task and CPU is where its state says. No CPU may be inside the scheduler.
func check(tb testing.TB) {
	tb.Helper()
	queued := map[ID]int{}
	for i := range cpus {
		c := &cpus[i]
		var n uint32
		prev := ID(0)
		for t := c.q.head; t != 0; t = tasks[t].next {
			if at, ok := queued[t]; ok {
				tb.Fatalf("task %d is queued on CPUs %d and %d", t, at, i)
			}
			queued[t] = i
			if tasks[t].prev != prev {
				tb.Fatalf("task %d: prev %d, want %d", t, tasks[t].prev, prev)
			}
			if s, _ := tasks[t].State(); s != StateReady || tasks[t].CPU() != i {
				tb.Fatalf("queued task %d on CPU %d: state %d of CPU %d", t, i, s, tasks[t].CPU())
			}
			prev = t
			n++
		}
		if c.q.tail != prev || c.q.depth.Load() != n {
			tb.Fatalf("CPU %d: tail %d, want %d; depth %d, want %d", i, c.q.tail, prev, c.q.depth.Load(), n)
		}
		if c.cur.Load() != 0 {
			if s, _ := tasks[c.cur.Load()].State(); s != StateRunning || tasks[c.cur.Load()].CPU() != i {
				tb.Fatalf("current task %d of CPU %d: state %d of CPU %d", c.cur.Load(), i, s, tasks[c.cur.Load()].CPU())
			}
		}
	}
	for t := ID(1); t < Tasks(); t++ {
		s, _ := tasks[t].State()
		if _, ok := queued[t]; ok != (s == StateReady) {
			tb.Fatalf("task %d: state %d, queued %v", t, s, ok)
		}
		if s == StateRunning && cpus[tasks[t].CPU()].cur.Load() != t {
			tb.Fatalf("task %d is lost: RUNNING on CPU %d, which runs %d", t, tasks[t].CPU(), cpus[tasks[t].CPU()].cur.Load())
		}
		if s == StateWaking || s == StateDead {
			tb.Fatalf("task %d is left in state %d", t, s)
		}
	}
}

// checkSettled is check, and that no CPU idles while a task that it may run waits. No CPU may have anything to do.
func checkSettled(tb testing.TB, f *fakeMachine) {
	tb.Helper()
	check(tb)
	for i := range cpus {
		c := &cpus[i]
		if c.need.Load() != 0 {
			tb.Fatalf("CPU %d is not settled", i)
		}
		want := c.timers.first.Load()
		if c.cur.Load() != 0 {
			want = min(want, tasks[c.cur.Load()].quantumEnd)
			if !tasks[c.cur.Load()].mayRun(i) {
				tb.Fatalf("CPU %d runs task %d against its affinity", i, c.cur.Load())
			}
		}
		if armed := f.armed[i].Load(); armed > want {
			tb.Fatalf("CPU %d: timer armed for %d, want %d at the latest", i, armed, want)
		}
		if c.cur.Load() != 0 {
			continue
		}
		if idleWords[c.idleWord].bits.Load()>>(i%64)&1 == 0 {
			tb.Fatalf("CPU %d idles without its bit", i)
		}
		for v := range cpus {
			n := 0
			for t := cpus[v].q.head; t != 0 && n < pullDepth; t = tasks[t].next {
				if tasks[t].mayRun(i) {
					tb.Fatalf("CPU %d idles while task %d waits for CPU %d", i, t, v)
				}
				n++
			}
		}
	}
}

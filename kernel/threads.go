package kernel

import (
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
	"unsafe"

	"pdac/kernel/console"
	"pdac/kernel/gate"
	"pdac/kernel/linux"
	"pdac/kernel/sched"
	"pdac/kernel/sched/dag"
)

// The scheduler as the gate's spawned tasks need it. Above the runtime.

// ownThreads is how many threads the runtime and the kernel have left of those that there can be, whatever
// programs spawn.
const ownThreads = 4096

// threads raises the Go runtime's limit of threads to the scheduler's, past which the program would end,
// and stays below it.
func (b *Board) threads() gate.Threads {
	debug.SetMaxThreads(sched.MaxTasks)
	return gate.Threads{
		This:  syscall.Gettid,
		Tune:  tune,
		Info:  threadInfo,
		Room:  b.room,
		Most:  sched.MaxTasks - ownThreads,
		Nodes: b.Topology.NNodes,
		Procs: func(n int) { runtime.GOMAXPROCS(n) },
	}
}

// threadBytes is what a thread needs, at most, before its function begins: stacks of the runtime, 48 KiB, its record and a
// page or two of the kernel's.
const threadBytes = 64 << 10

// room says whether there is memory for n more threads: a sixteenth of all is the program's.
func (b *Board) room(n int) bool {
	var total, free uint64
	for n := range b.Topology.NNodes {
		f := b.Frames.Stats(n)
		t, u := b.nodeBytes(n, &f)
		total, free = total+t, free+u
	}
	return free > total/16+uint64(n)*threadBytes
}

// tune makes a thread what a spawned task is to be like. The caller is in the kernel's space. A thread that
// has ended, which takes a task that unlocked itself from it, is left alone.
func tune(thread int, o gate.TaskOptions) {
	t := sched.ID(thread)
	if o.Name != "" {
		sched.SetName(t, []byte(o.Name))
	}
	sched.SetPriority(t, uint8(o.Priority-gate.MinPriority))
	tickets := uint32(o.Tickets)
	if tickets == 0 {
		tickets = sched.DefaultTickets
	}
	sched.SetTickets(t, tickets)
	sched.SetQuantum(t, uint64(o.Quantum))
	sched.SetHome(t, int(o.Home)-1)
	setAffinity(thread, o.CPUs)
	class := [...]sched.Class{gate.Normal: sched.ClassNormal, gate.Latency: sched.ClassLatency, gate.Batch: sched.ClassBatch}[o.Class]
	if _, _, e := syscall.RawSyscall(linux.SetClass, uintptr(thread), uintptr(class), 0); e != 0 && e != syscall.ESRCH {
		panic(e)
	}
}

// setAffinity is sched_setaffinity(2); no CPUs: all.
func setAffinity(thread int, cpus []int) {
	var mask sched.CPUSet
	for _, cpu := range cpus {
		mask.Add(cpu)
	}
	if len(cpus) == 0 {
		for i := range mask {
			mask[i] = ^uint64(0)
		}
	}
	if _, _, e := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(thread), unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask))); e != 0 && e != syscall.ESRCH {
		panic(e)
	}
}

// workers binds the workers of executors to CPUs.
func (b *Board) workers() dag.Config {
	return dag.Config{
		Workers:  hardware.NCPU,
		Node:     func(worker int) int { return int(hardware.Nodes[worker]) },
		Distance: func(from, to int) int { return int(b.Topology.Distance[from][to]) },
		Pin: func(worker int) error {
			setAffinity(syscall.Gettid(), []int{worker})
			return nil
		},
	}
}

// executors is what the console shows of them.
func executors(o *gate.Operator) console.DAG {
	var r console.DAG
	for i, s := range o.Executors() {
		e := console.Executor{ID: i, Strategy: s.Strategy.String(), InFlight: s.InFlight, Active: s.Active, Succeeded: s.Succeeded,
			Failed: s.Failed, Cancelled: s.Cancelled, Functions: s.Functions, Passed: s.Passed}
		for _, x := range s.Steals {
			e.Steals = append(e.Steals, console.DAGSteals{Strategy: x.Strategy.String(), Distance: x.Distance, Tried: x.Tries, Won: x.Hits})
		}
		for _, w := range s.Workers {
			e.Workers = append(e.Workers, console.DAGWorker{Node: w.Node, State: w.State.String(), Functions: w.Functions, Parks: w.Parks, Offered: w.Offered})
		}
		r.Executors = append(r.Executors, e)
	}
	return r
}

// threadInfo fills in what the scheduler knows of a spawned task.
func threadInfo(thread int, s *gate.TaskStatus) {
	i := sched.Info(sched.ID(thread))
	s.CPU, s.Node = i.CPU, int(hardware.Nodes[i.CPU])
	s.Used, s.Waited = time.Duration(i.CPUTime), time.Duration(i.WaitTime)
	s.Switches, s.Migrations = i.Switches, i.Migrations
}

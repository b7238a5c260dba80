package kernel

import (
	"bytes"
	"runtime"
	"syscall"

	"pdac/kernel/console"
	"pdac/kernel/gate"
	"pdac/kernel/linux"
	"pdac/kernel/numa"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// Version is PDAC's.
const Version = "0.1"

// system is the machine as the console sees it.
func (b *Board) system(o *gate.Operator) console.System {
	return console.System{
		Version:  b.version,
		CPUs:     b.cpus,
		Memory:   b.memory,
		NUMA:     b.numa,
		SetRate:  sampling.set,
		IRQs:     b.irqs,
		Tasks:    b.tasks,
		Syscalls: syscalls,
		Faults:   b.faults,

		Sched:       schedule,
		SetPolicy:   setPolicy,
		SetStrategy: setStrategy,
		SetTracing:  sched.SetTracing,
		Trace:       events,

		Caps:      func(f func(console.Capability)) console.Caps { return caps(o, f) },
		RevokeCap: o.Revoke,
		RCU:       func() console.RCU { return rcuStats(o) },
		DAG:       func() console.DAG { return executors(o) },
		IPC:       func() console.IPC { return endpoints(o) },

		Run:      runWorkload,
		PowerOff: b.PowerOff,
		Reboot:   b.Reboot,
		Crash:    func() { syscall.Syscall(linux.Crash, 0, 0, 0) },
	}
}

func (b *Board) version() console.Version {
	return console.Version{Version: Version, Go: runtime.Version(), Board: b.Name,
		Cmdline: string(hardware.Cmdline), UptimeNS: hardware.Now()}
}

func (b *Board) cpus() console.CPUs {
	r := console.CPUs{Model: b.CPUModel, TSCHz: b.TSCHz}
	for i, c := range b.CPUs() {
		cpu := console.CPU{ID: i, APICID: c.APICID, Node: c.Node, Online: c.Online}
		if i < hardware.NCPU {
			s := sched.Stats(i)
			cpu.BusyNS, cpu.IdleNS, cpu.Switches = s.Busy, s.Idle, s.Switches
			cpu.Task, cpu.Ready = s.Current, int(s.Queued)
		}
		r.CPUs = append(r.CPUs, cpu)
	}
	return r
}

func (b *Board) memory() console.Memory {
	s := vm.ReadStats()
	r := console.Memory{Areas: uint64(s.Areas), Faults4K: s.Faults4K, Faults2M: s.Faults2M, Shootdowns: s.Shootdowns,
		ImageBytes: b.ImageBytes, KernelBytes: s.Kernel * vm.PageSize, TableBytes: uint64(s.Tables) * vm.PageSize}
	for n := range b.Topology.NNodes {
		f := b.Frames.Stats(n)
		total, free := b.nodeBytes(n, &f)
		r.TotalBytes += total
		r.FreeBytes += free
		r.Nodes = append(r.Nodes, console.NodeMemory{ID: n, TotalBytes: total, FreeBytes: free, Free2M: f.Huge,
			LocalAllocs: f.Local, RemoteAllocs: f.Remote})
	}
	return r
}

// nodeBytes returns the RAM of a node by the memory map, and what is free of it. The
// frame allocator has the 2 MiB across two nodes' border in one of them, so that
// its free memory may exceed the RAM of a node that nobody uses.
func (b *Board) nodeBytes(n int, f *numa.NodeStats) (total, free uint64) {
	total = b.Topology.Nodes[n].Bytes
	return total, min(f.Free, total)
}

func (b *Board) numa() console.NUMA {
	t := b.Topology
	r := console.NUMA{Rate: sampling.get(), Sampled: vm.Sampled()}
	for n := range t.NNodes {
		f := b.Frames.Stats(n)
		total, free := b.nodeBytes(n, &f)
		node := console.Node{ID: n, Domain: t.Nodes[n].Domain, CPUs: []int{}, TotalBytes: total, FreeBytes: free}
		for i, c := range b.CPUs() {
			if c.Node == n && c.Online {
				node.CPUs = append(node.CPUs, i)
			}
		}
		for m := range t.NNodes {
			node.Distances = append(node.Distances, int(t.Distance[n][m]))
			node.Accesses = append(node.Accesses, vm.Seen(n, m))
		}
		r.Nodes = append(r.Nodes, node)
	}
	return r
}

func (b *Board) irqs() console.IRQs {
	var r console.IRQs
	for v := range b.Vectors {
		e := console.Vector{Vector: v, Name: b.VectorName(v)}
		for cpu := range hardware.NCPU {
			n := b.IRQs(cpu, v)
			e.CPUs = append(e.CPUs, n)
			e.Total += n
		}
		if e.Total != 0 {
			r.Vectors = append(r.Vectors, e)
		}
	}
	return r
}

var stateNames = [...]string{sched.StateFree: "free", sched.StateNew: "new", sched.StateReady: "ready", sched.StateRunning: "running",
	sched.StateBlocked: "blocked", sched.StateWaking: "ready", sched.StateDead: "dead"}

func (b *Board) tasks() console.Tasks {
	var r console.Tasks
	for t := sched.ID(1); t < sched.Tasks(); t++ {
		i := sched.Info(t)
		if i.State == sched.StateFree {
			continue
		}
		name, _, _ := bytes.Cut(i.Name[:], []byte{0})
		r.Tasks = append(r.Tasks, console.Task{ID: t, Name: string(name), State: stateNames[i.State], CPU: i.CPU,
			Node: int(hardware.Nodes[i.CPU]), CPUNS: i.CPUTime, WaitNS: i.WaitTime, Switches: i.Switches})
	}
	return r
}

// faults lists the last fault of each task. A fault that happens meanwhile may be
// shown in part.
func (b *Board) faults() console.Faults {
	var r console.Faults
	for t := sched.ID(1); t < sched.Tasks(); t++ {
		f := linux.LastFault(t)
		if f.Signal == 0 {
			continue
		}
		x := console.Fault{Task: t, Vector: int(f.Vector), Name: b.VectorName(int(f.Vector)), Code: f.Code, Address: f.CR2, RIP: f.Regs.RIP}
		if fn := runtime.FuncForPC(uintptr(x.RIP)); fn != nil { // so its code can be read
			x.Func = fn.Name()
			x.File, x.Line = fn.FileLine(uintptr(x.RIP))
			x.Instruction = instruction(x.RIP)
		}
		r.Faults = append(r.Faults, x)
	}
	return r
}

func syscalls() console.Syscalls {
	var r console.Syscalls
	for nr := range linux.Calls {
		if n := linux.Counts(nr); n != 0 {
			r.Syscalls = append(r.Syscalls, console.Syscall{Number: nr, Name: linux.Name(uint64(nr)), Known: linux.Known(nr),
				Count: n, Refused: linux.Refused(nr)})
		}
	}
	return r
}

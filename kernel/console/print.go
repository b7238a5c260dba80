package console

import (
	"fmt"
	"io"
	"path"
)

// Print implements Result, as do the other methods of that name here.
func (h Help) Print(w io.Writer) {
	if len(h.Commands) == 1 {
		fmt.Fprintf(w, "usage: %s\n%s\n", h.Commands[0].Usage, h.Commands[0].Help)
		return
	}
	for _, c := range h.Commands {
		fmt.Fprintf(w, "%-10s %s\n", c.Name, c.Help)
	}
	fmt.Fprintln(w, "-j after any name gives JSON; ; separates commands; Tab completes.")
}

func (v Version) Print(w io.Writer) {
	fmt.Fprintf(w, "PDAC %s, %s, board %s, up %s\n", v.Version, v.Go, v.Board, seconds(v.UptimeNS))
	if v.Cmdline != "" {
		fmt.Fprintln(w, "command line:", v.Cmdline)
	}
}

func (c CPUs) Print(w io.Writer) {
	fmt.Fprintf(w, "%d CPUs, %s, TSC %d.%03d GHz\n", len(c.CPUs), c.Model, c.TSCHz/1e9, c.TSCHz/1e6%1e3)
	var t table
	t.row("CPU", "APIC", "node", "state", "busy", "idle", "switches", "ready", "task")
	for _, p := range c.CPUs {
		state, task := "offline", "-"
		if p.Online {
			if state = "idle"; p.Task != 0 {
				state, task = "busy", fmt.Sprint(p.Task)
			}
		}
		t.row(p.ID, p.APICID, p.Node, state, seconds(p.BusyNS), seconds(p.IdleNS), p.Switches, p.Ready, task)
	}
	t.print(w)
}

func (m Memory) Print(w io.Writer) {
	fmt.Fprintf(w, "%v in %d nodes, %v free\n", size(m.TotalBytes), len(m.Nodes), size(m.FreeBytes))
	var t table
	t.row("node", "total", "free", "free 2 MiB", "local allocs", "remote allocs")
	for _, n := range m.Nodes {
		t.row(n.ID, size(n.TotalBytes), size(n.FreeBytes), n.Free2M, n.LocalAllocs, n.RemoteAllocs)
	}
	t.print(w)
	fmt.Fprintf(w, "image %v, kernel %v, page tables %v\n", size(m.ImageBytes), size(m.KernelBytes), size(m.TableBytes))
	fmt.Fprintf(w, "page faults: %d of 4 KiB, %d of 2 MiB; %d areas, %d TLB shootdowns\n", m.Faults4K, m.Faults2M, m.Areas, m.Shootdowns)
	h := &m.Heap
	fmt.Fprintf(w, "Go heap: %v in %d objects, goal %v, %d collections\n", size(h.LiveBytes), h.Objects, size(h.GoalBytes), h.Cycles)
	fmt.Fprintf(w, "Go runtime: %v mapped, %v given back, %d goroutines\n", size(h.RuntimeBytes), size(h.ReleasedBytes), h.Goroutines)
}

func (n NUMA) Print(w io.Writer) {
	var t table
	t.row("node", "domain", "total", "free", "CPUs", "distances")
	for _, d := range n.Nodes {
		t.row(d.ID, d.Domain, size(d.TotalBytes), size(d.FreeBytes), ranges(d.CPUs), runs(d.Distances))
	}
	t.print(w)
	if n.Rate != 0 || n.Sampled != 0 {
		n.printAccesses(w)
	}
}

func (i IRQs) Print(w io.Writer) {
	var t table
	t.row("vector", "name", "total", "by CPU")
	for _, v := range i.Vectors {
		t.row(v.Vector, v.Name, v.Total, runs(v.CPUs))
	}
	t.print(w)
}

func (p Tasks) Print(w io.Writer) {
	var t table
	t.row("task", "state", "CPU", "node", "CPU time", "waited", "switches", "name")
	for _, k := range p.Tasks {
		t.row(k.ID, k.State, k.CPU, k.Node, seconds(k.CPUNS), seconds(k.WaitNS), k.Switches, k.Name)
	}
	t.print(w)
}

func (f Faults) Print(w io.Writer) {
	if len(f.Faults) == 0 {
		fmt.Fprintln(w, "no task had a fault")
	}
	for _, x := range f.Faults {
		fmt.Fprintf(w, "task %d: %s, code %#x, at %#x\n  %s (%s:%d)\n  %#x %s\n", x.Task, x.Name, x.Code, x.Address,
			x.Func, path.Base(x.File), x.Line, x.RIP, x.Instruction)
	}
}

func (s Syscalls) Print(w io.Writer) {
	var t table
	t.row("number", "count", "name")
	for _, c := range s.Syscalls {
		name := c.Name
		if !c.Known {
			name += " (ENOSYS)"
		}
		if c.Refused != 0 {
			name += fmt.Sprintf(" (%d refused)", c.Refused)
		}
		t.row(c.Number, c.Count, name)
	}
	t.print(w)
}

func (l Log) Print(w io.Writer) {
	if l.Lost > 0 {
		fmt.Fprintf(w, "%d records lost\n", l.Lost)
	}
	for _, r := range l.Records {
		fmt.Fprintln(w, r.line)
	}
}

func (g GC) Print(w io.Writer) {
	fmt.Fprintf(w, "%v before, %v after, took %s, paused %s\n", size(g.BeforeBytes), size(g.AfterBytes), seconds(g.WallNS), seconds(g.PauseNS))
}

func (r Workload) Print(w io.Writer) {
	verdict := "results are right"
	if !r.OK {
		verdict = "RESULTS ARE WRONG"
	}
	fmt.Fprintf(w, "%v in %s, %s; %s\n", size(r.Bytes), seconds(r.WallNS), rate(r.Bytes, r.WallNS), verdict)
	var t table
	t.row("CPU", "node", "files", "bytes", "busy", "throughput")
	for _, c := range r.CPUs {
		t.row(c.ID, c.Node, c.Files, size(c.Bytes), seconds(c.BusyNS), rate(c.Bytes, c.BusyNS))
	}
	t.print(w)
	t = table{}
	t.row("node", "pages for its CPUs", "for others")
	for _, n := range r.Nodes {
		t.row(n.ID, size(n.LocalBytes), size(n.RemoteBytes))
	}
	t.print(w)
}

func (p PowerOff) Print(w io.Writer) { fmt.Fprintf(w, "power off, exit code %d\n", p.Code) }

func (Crash) Print(w io.Writer)  { fmt.Fprintln(w, "crash") }
func (Reboot) Print(w io.Writer) { fmt.Fprintln(w, "reboot") }

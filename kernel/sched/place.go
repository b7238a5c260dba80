package sched

import (
	"math/bits"
	"sync/atomic"
)

// Wakeup placement: on the last CPU if that is idle, else on an idle CPU of its node, else on an idle CPU elsewhere, else
// in the last CPU's queue. An idle CPU is found in a bitmap, one per node so that going idle dirties no line of another.
//
// Invariant: no CPU stays idle while a task that it may run waits in a queue that it looked at. Going idle is
// (1) set the own bit, (2) look at every queue's depth; giving work is (1) store the depth, (2) look at the bits.
// Under sequential consistency one of the two sees the other. Whoever clears the bit (claims the CPU) sends the one IPI;
// a claimed CPU that finds nothing sets its bit again and looks again.
//
// Writers of a bit: its CPU sets it; anyone clears it, and the one whose And saw it set owes the CPU a kick.
// Progress: lock-free.
//
// Rejected: leaving a woken task on the waker's CPU whenever that queue is empty, in the hope that the waker blocks soon.
// A Go M that wakes another and computes on would hold it up for a quantum while other CPUs sleep.

// MaxNodes is the most NUMA nodes.
const MaxNodes = 64

// idleNode is the idle bitmap of one node, by CPU number.
type idleNode struct {
	idle   [MaxCPUs / 64]atomic.Uint64
	lo, hi uint32 // words lo..hi-1 hold the node's CPUs; constant after Init
	_      [64 - 8]byte
}

var (
	nodes  [MaxNodes]idleNode
	nNodes int // one more than the highest node number
)

func initNodes() {
	nNodes = 0
	for i := range nodes {
		n := &nodes[i]
		for w := range n.idle {
			n.idle[w].Store(0)
		}
		n.lo, n.hi = 0, 0
	}
}

// own notes at boot that a CPU belongs to the node; CPUs come in ascending order.
func (n *idleNode) own(cpu int) {
	w := uint32(cpu / 64)
	if n.hi == 0 {
		n.lo = w
	}
	n.hi = w + 1
	nNodes = max(nNodes, int(cpus[cpu].node)+1)
}

// claim clears a CPU's idle bit and reports whether the caller is the one who did.
func (c *CPU) claim(cpu int) bool {
	w := &nodes[c.node%MaxNodes].idle[uint(cpu)/64%(MaxCPUs/64)]
	bit := uint64(1) << (uint(cpu) % 64)
	return w.Load()&bit != 0 && w.And(^bit)&bit != 0
}

// setIdle sets the CPU's own idle bit.
func (c *CPU) setIdle(cpu int) {
	nodes[c.node%MaxNodes].idle[uint(cpu)/64%(MaxCPUs/64)].Or(1 << (uint(cpu) % 64))
	c.idle = true
}

// claim claims an idle CPU of the node that the task may run on; -1 if there is none.
func (n *idleNode) claim(tk *Task) int {
	for w := n.lo; w < n.hi; w++ {
		word := &n.idle[w%uint32(len(n.idle))]
		v := word.Load()
		if v == 0 {
			continue
		}
		if tk.affine.Load() != 0 {
			v &= tk.affinity[w%uint32(len(tk.affinity))].Load()
		}
		for v != 0 {
			bit := v & -v
			if word.And(^bit)&bit != 0 {
				return int(w*64) + bits.TrailingZeros64(bit)
			}
			v &^= bit
		}
	}
	return -1
}

// claimFor claims an idle CPU that the task may run on, one of the given node first; -1 if there is none.
func claimFor(tk *Task, node uint32) int {
	n := int(node)
	for range nNodes {
		if cpu := nodes[n%MaxNodes].claim(tk); cpu >= 0 {
			return cpu
		}
		if n++; n == nNodes {
			n = 0
		}
	}
	return -1
}

// kick makes a CPU call Leave soon.
func kick(cpu, target int, why uint32) {
	cpus[target].need.Or(why) // before the IPI, and before a claimed CPU can miss what it is woken for
	if target != cpu {
		cpus[cpu].kicks.Add(1)
		machine.Kick(target)
	}
}

// place queues a WAKING task. The caller must not rely on anything of the task afterwards.
func place(cpu int, t ID, tk *Task, front bool) {
	target := int(tk.cpu.Load())
	if !tk.mayRun(target) {
		target = tk.allowed(target)
	}
	tk.readySince = machine.Now()
	c := &cpus[target]
	if c.claim(target) {
		c.push(target, t, tk, front)
		kick(cpu, target, evaluate)
		return
	}
	if i := claimFor(tk, c.node); i >= 0 {
		cpus[i].push(i, t, tk, front)
		kick(cpu, i, evaluate)
		return
	}
	if c.push(target, t, tk, front) {
		kick(cpu, target, evaluate|preempt)
		return
	}
	// A CPU may have gone idle since: the second half of "queue, then look".
	offer(cpu, t)
}

// offer moves a task that was just seen in a queue to an idle CPU that may run it, if there is one. Moving it, rather than
// waking the CPU to pull, keeps the promise to the task when that CPU finds other work first.
//
// The task may have run and died since it was seen. Its record is still one, of a READY task or not, and for any READY
// task the move is right; the worst is a needless IPI.
func offer(cpu int, t ID) {
	tk := &tasks[t]
	i := claimFor(tk, cpus[tk.cpu.Load()].node)
	if i < 0 {
		return
	}
	if tk.retract() {
		cpus[i].push(i, t, tk, false)
	}
	kick(cpu, i, evaluate)
}

// Enqueue makes a NEW task runnable: the creator's last touch of it.
func Enqueue(cpu int, t ID) {
	tk := &tasks[t]
	if s, _ := tk.State(); s != StateNew {
		panic("sched: Enqueue of a task that is not new")
	}
	tk.own(StateWaking)
	place(cpu, t, tk, false)
}

package sched

import (
	"math/bits"
	"sync/atomic"
)

// Wakeup placement: on the last CPU if that is idle, else on an idle CPU of its node, else on an idle CPU elsewhere, else
// in the last CPU's queue. An idle CPU is found in a bitmap, kept per node so that going idle dirties no line of another.
//
// Invariant: no CPU stays idle while a task that it may run waits in a queue that it looked at. Going idle is
// (1) set the own bit, (2) look at every queue; giving work is (1) queue it (runq.go), (2) look at the bits.
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

// idleWord is the part of the idle bitmap for those CPUs of one node whose numbers are in one word of a CPUSet.
type idleWord struct {
	bits atomic.Uint64 // by CPU number % 64
	word uint32        // CPU number / 64; constant after Init, as is node
	node uint32
	_    [64 - 16]byte // CPUs of other nodes go idle without taking this line
}

var (
	idleWords  [MaxNodes * MaxCPUs / 64]idleWord // ordered by node
	nIdleWords uint32
)

// initIdle lays out the idle bitmap.
func initIdle() {
	nIdleWords = 0
	for node := range uint32(MaxNodes) {
		first := nIdleWords
		for i := range cpus {
			c := on(i)
			if c.node != node {
				continue
			}
			c.firstIdle = first
			if w := uint32(i / 64); nIdleWords == first || idleWords[nIdleWords-1].word != w {
				iw := &idleWords[nIdleWords]
				iw.bits.Store(0)
				iw.word, iw.node = w, node
				nIdleWords++
			}
			c.idleWord = nIdleWords - 1
		}
	}
}

// anyIdle reports whether some CPU's bit is set: all that a wakeup on a busy machine looks at.
func anyIdle() bool {
	any := idleWords[0].bits.Load()
	for i := uint32(1); i < nIdleWords; i++ {
		any |= idleWords[i%uint32(len(idleWords))].bits.Load()
	}
	return any != 0
}

// claim clears a CPU's idle bit and reports whether the caller is the one who did.
func (c *CPU) claim(cpu int) bool {
	bits := &idleWords[c.idleWord].bits
	bit := uint64(1) << (uint(cpu) % 64)
	return bits.Load()&bit != 0 && bits.And(^bit)&bit != 0
}

// setIdle sets the CPU's own idle bit.
func (c *CPU) setIdle(cpu int) {
	idleWords[c.idleWord].bits.Or(1 << (uint(cpu) % 64))
	c.idle = true
}

// claimFor claims an idle CPU that the task may run on, one of c's node first; -1 if there is none.
func (c *CPU) claimFor(tk *Task) int {
	i := c.firstIdle
	for range nIdleWords {
		iw := &idleWords[i]
		v := iw.bits.Load()
		if v != 0 && tk.affine.Load()&masked != 0 {
			v &= tk.affinity[iw.word].Load()
		}
		for v != 0 {
			bit := v & -v
			if iw.bits.And(^bit)&bit != 0 {
				return int(iw.word*64) + bits.TrailingZeros64(bit)
			}
			v &^= bit
		}
		if i++; i == nIdleWords {
			i = 0
		}
	}
	return -1
}

// kick makes a CPU call Leave soon.
func kick(cpu, target int, why uint32) {
	on(target).need.Or(why) // before the IPI, and before a claimed CPU can miss what it is woken for
	if target != cpu {
		on(cpu).kicks.Add(1)
		machine.Kick(target)
	}
}

// Ready queues a WAKING task, one that the caller claimed or has in hand otherwise; front puts it before the others. It
// preempts the CPU's current task if that is less urgent. The caller must not rely on anything of the task afterwards.
//
//go:nosplit
func Ready(cpu int, t ID, front bool) {
	now := machine.Now() // first: there is little yet to keep across the call
	tk := Get(t)
	tk.readySince = now
	on(cpu).wakeups.Add(1)
	target := int(tk.cpu.Load())
	if tk.affine.Load() != 0 {
		target = tk.wanted(target)
	}
	if anyIdle() && placeIdle(cpu, target, t, tk, front) {
		return
	}
	trace(cpu, EventWake, t, target)
	if c := on(target); c.push(target, t, tk, front) < c.below.Load() {
		kick(cpu, target, evaluate|preempt)
	} else if anyIdle() { // since: the second half of "queue, then look"
		offer(cpu, t)
	}
}

// placeIdle queues the task on an idle CPU, the target if that is one; false if there is none that may run it.
func placeIdle(cpu, target int, t ID, tk *Task, front bool) bool {
	if c := on(target); !c.claim(target) {
		if target = c.claimFor(tk); target < 0 {
			return false
		}
	}
	trace(cpu, EventWake, t, target)
	on(target).push(target, t, tk, front)
	kick(cpu, target, evaluate|preempt) // it may have found other work by now
	return true
}

// offer moves a task that was just seen in a queue to an idle CPU that may run it, if there is one. Moving it, rather than
// waking the CPU to pull, keeps the promise to the task when that CPU finds other work first.
//
// The task may have run and died since it was seen. Its record is still one, of a READY task or not, and for any READY
// task the move is right; the worst is a needless IPI. Where it cannot be moved, the CPU is woken to pull.
//
// It reports whether there was one.
func offer(cpu int, t ID) bool {
	tk := Get(t)
	i := on(tk.CPU()).claimFor(tk)
	if i < 0 {
		return false
	}
	if _, ok := tk.retract(); ok {
		on(cpu).sent(cpu, t, i)
		on(i).push(i, t, tk, false)
	}
	kick(cpu, i, evaluate|preempt)
	return true
}

// Enqueue makes a NEW task runnable: the creator's last touch of it.
func Enqueue(cpu int, t ID) {
	tk := Get(t)
	if s, _ := tk.State(); s != StateNew {
		panic("sched: Enqueue of a task that is not new")
	}
	tk.move(StateNew, StateWaking)
	Ready(cpu, t, false)
}

package sched

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"pdac/kernel/lockfree"
)

// workload is what the simulation and the torture test run: tasks that compute, wait in a mailbox with and without
// deadline, post to others' mailboxes, yield, signal, move, spawn and exit. Its plain fields are handed over with the task,
// so that the race detector sees a task that runs twice or is handed over without order.
type workload struct {
	tb       testing.TB
	f        *fakeMachine
	prog     []prog
	live     atomic.Int64
	steps    atomic.Int64
	births   atomic.Int64 // that are still to come
	timeouts atomic.Int64
	wakes    atomic.Int64
	signals  atomic.Int64
	handed   atomic.Int64 // sleeps and turns that found the next task without Leave
	length   uint64       // longest life, in steps
	affinity bool
	classes  bool // classes, policies, priorities and quanta change
	pairs    bool // most tasks do nothing but post to a partner and wait
}

// unwoken is the RAX of a task that nobody has woken.
const unwoken = 7777

type prog struct {
	stamp atomic.Int32 // 1 + the CPU inside step
	rng   rand.PCG
	left  int
	slept uint64 // number of the sleep that it comes back from; 0 if none

	box    lockfree.SpinLock
	posts  int    // not yet taken; this and the next two under box
	waits  bool   // parked in sleep seq for a post; whoever clears it owes the wakeup
	seq    uint64 // of the sleep
	before uint64 // deadline, or Never
}

func newWorkload(tb testing.TB, f *fakeMachine, births, length int) *workload {
	w := &workload{tb: tb, f: f, prog: make([]prog, len(tasks)), classes: true, length: uint64(length)}
	w.births.Store(int64(births))
	OnTimeout(func(cpu int, id ID, seq uint64) {
		if w.end(cpu, id, seq, -110, false) {
			w.timeouts.Add(1)
		}
	})
	OnExit(func(cpu int, id ID) { w.live.Add(-1) })
	return w
}

func (w *workload) spawn(cpu int, seed uint64) {
	if w.births.Add(-1) < 0 {
		return
	}
	id, ok := New(cpu)
	if !ok {
		return
	}
	p := &w.prog[id]
	p.rng.Seed(seed, uint64(id))
	p.left = 1 + int(seed%w.length)
	p.slept = 0
	p.box.Lock()
	p.posts, p.waits = 0, false
	p.box.Unlock()
	if w.affinity && seed%3 == 0 {
		SetAffinity(cpu, id, w.mask(&p.rng))
	}
	w.live.Add(1)
	Enqueue(cpu, id)
}

func (w *workload) mask(rng *rand.PCG) *CPUSet {
	var m CPUSet
	n := len(cpus)
	m.Add(int(rng.Uint64() % uint64(n)))
	for range rng.Uint64() % 4 {
		m.Add(int(rng.Uint64() % uint64(n)))
	}
	if rng.Uint64()%4 == 0 {
		m = online
	}
	return &m
}

// end ends sleep seq of a task (0: any) with a result; it reports whether the task waited in it.
func (w *workload) end(cpu int, id ID, seq uint64, result int64, front bool) bool {
	p := &w.prog[id]
	p.box.Lock()
	ok := p.waits && (seq == 0 || seq == p.seq)
	if ok {
		p.waits = false
		seq = p.seq
		if result == -110 && w.f.clock.Load() < p.before {
			w.tb.Errorf("task %d: timeout before its deadline", id)
		}
	}
	p.box.Unlock()
	if !ok {
		return false
	}
	if Wake(cpu, id, seq-1, 99, false) {
		w.tb.Errorf("task %d: a wakeup for the sleep before won", id)
	}
	if result == 1 && seq%2 == 0 && Current(cpu) != 0 { // waits is ours alone
		Unpark(cpu, id, w.f.clock.Load())
	} else if !Wake(cpu, id, seq, result, front) {
		w.tb.Errorf("task %d: the one wakeup of sleep %d failed", id, seq)
	}
	w.wakes.Add(1)
	return true
}

func (w *workload) post(cpu int, id ID) {
	if w.end(cpu, id, 0, 1, false) {
		return
	}
	p := &w.prog[id]
	p.box.Lock()
	p.posts = min(p.posts+1, 2)
	p.box.Unlock()
}

// wait takes a post or parks until there is one, d ns at the longest (0: for ever).
func (w *workload) wait(cpu int, id ID, d uint64) {
	p := &w.prog[id]
	p.box.Lock()
	if p.posts > 0 {
		p.posts--
		p.box.Unlock()
		p.stamp.Store(0)
		return
	}
	p.seq = Get(id).NextSeq()
	p.waits, p.slept, p.before = true, p.seq, Never
	var deadline uint64
	if d != 0 {
		deadline = w.f.clock.Load() + d
		p.before = deadline
	}
	Get(id).Ctx.RAX = unwoken
	if d == 0 && p.seq%4 < 2 {
		if Get(id).Attn.Load() == 0 { // else its sender may have been here
			p.stamp.Store(0)
			if next := Sleep(cpu, &Get(id).Ctx, &p.box, w.f.clock.Load()); next != 0 {
				w.handed.Add(1)
			}
			return
		}
		p.waits, p.slept = false, 0
		p.box.Unlock()
		p.stamp.Store(0)
		return
	}
	p.stamp.Store(0)
	seq := Park(cpu, id, deadline)
	if seq != p.seq {
		w.tb.Errorf("task %d: Park %d, NextSeq %d", id, seq, p.seq)
	}
	p.box.Unlock()
	if Get(id).Attn.Load() != 0 {
		w.end(cpu, id, seq, -4, true)
	}
}

// step runs one step of the current task, as a trap would: it may park, yield or exit. Leave follows.
func (w *workload) step(cpu int, id ID) {
	p := &w.prog[id]
	if !p.stamp.CompareAndSwap(0, int32(cpu)+1) {
		w.tb.Errorf("task %d runs on CPUs %d and %d", id, p.stamp.Load()-1, cpu)
	}
	tk := Get(id)
	if s, seq := tk.State(); s != StateRunning || tk.CPU() != cpu {
		w.tb.Errorf("task %d runs on CPU %d in state %d of CPU %d", id, cpu, s, tk.CPU())
	} else if p.slept != 0 {
		if seq <= p.slept || tk.Ctx.RAX == unwoken {
			w.tb.Errorf("task %d: back from sleep %d with RAX %d, was sleep %d", id, seq, tk.Ctx.RAX, p.slept)
		}
		p.slept = 0
	}
	if tk.Attn.Load() != 0 {
		tk.Attn.Store(0)
		w.signals.Add(1)
	}
	w.steps.Add(1)
	w.f.clock.Add(50 + p.rng.Uint64()%200)
	p.left--
	if p.left < 0 {
		for range p.rng.Uint64() % 3 {
			w.spawn(cpu, p.rng.Uint64())
		}
		p.stamp.Store(0)
		Exit(cpu, id)
		return
	}
	other := ID(1 + p.rng.Uint64()%uint64(Tasks()-1))
	r := p.rng.Uint64() % 16
	if w.pairs && id%8 > 1 && r != 11 {
		if r = 0; p.left%2 == 0 {
			other, r = (id-1)^1+1, 6
		}
	}
	switch r {
	case 0, 1, 2:
		w.wait(cpu, id, 0)
		return
	case 3, 4, 5:
		w.wait(cpu, id, 1+p.rng.Uint64()%5000)
		return
	case 6, 7, 8, 9:
		w.post(cpu, other)
	case 10:
		p.stamp.Store(0)
		if p.left%2 == 0 {
			Yield(cpu, id)
		} else if PassTurn(cpu, id, w.f.clock.Load()) != 0 {
			w.handed.Add(1)
		}
		return
	case 11:
		Get(other).Attn.Store(1)
		Urgent(cpu, other)
		w.end(cpu, other, 0, -4, true)
	case 12:
		if w.affinity {
			if other = id; p.rng.Uint64()%2 == 0 {
				other = ID(1 + p.rng.Uint64()%uint64(Tasks()-1))
			}
			SetAffinity(cpu, other, w.mask(&p.rng))
		}
	case 15:
		SetHome(other, int(p.rng.Uint64()%5)-1)
	case 13:
		w.f.clock.Add(p.rng.Uint64() % 4000)
	case 14:
		if !w.classes {
			break
		}
		switch r := p.rng.Uint64(); r % 6 {
		case 0:
			SetPolicy(Class(r>>8%3), Policy(r>>16%2))
		case 1:
			SetClass(cpu, other, Class(r>>8%3))
		case 2:
			SetPriority(other, uint8(r>>8))
		case 3:
			SetTickets(other, uint32(r>>8))
		case 4:
			SetQuantum(other, r>>8%(2*MaxQuantum))
		}
	}
	p.stamp.Store(0)
}

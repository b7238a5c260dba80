package sched

import (
	"math/bits"
	"sync/atomic"
	"testing"

	"pdac/kernel/lockfree"
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
	return bootWith(tb, ncpu, nnodes, ntasks, ntimers, func(*Machine) {})
}

// bootWith is boot of a machine that set has changed.
func bootWith(tb testing.TB, ncpu, nnodes, ntasks, ntimers int, set func(*Machine)) *fakeMachine {
	tb.Helper()
	f := &fakeMachine{kicked: make([]atomic.Uint32, ncpu), armed: make([]atomic.Uint64, ncpu)}
	f.clock.Store(1000)
	testNode = uint32(Entries(ncpu, uint32(ntasks+1)))
	nodes := make([]uint8, ncpu)
	for i := range nodes {
		nodes[i] = uint8(i * nnodes / ncpu)
		f.armed[i].Store(Never)
	}
	m := Machine{
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
		Entries:    make([]lockfree.Node, Entries(ncpu, uint32(ntasks+1))+nodeStep),
		EntryLinks: make([]uint32, Entries(ncpu, uint32(ntasks+1))+nodeStep),
		Timers:     make([]TimerNode, ntimers+1),
		TimerLinks: make([]uint32, ntimers+1),
		GrowTimers: func(_ int, n uint32) bool { return true },
	}
	set(&m)
	Init(m)
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

// settle lets all CPUs do what they were told to.
func settle(f *fakeMachine) {
	for again := true; again; {
		again = false
		for cpu := range cpus {
			if f.kicked[cpu].Swap(0) != 0 || NeedLeave(cpu) {
				if id := Leave(cpu); id != 0 {
					Get(id).Attn.Store(0) // the trap exit delivers
				}
				again = true
			}
		}
	}
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

// testNode is the one node that is none of the queues': at first the one behind theirs.
var testNode uint32

// entriesOf returns the entries of a band, stale ones too, and the nodes that it holds.
func (c *CPU) entriesOf(b int) (list []uint64, held []uint32) {
	// An empty queue's First says nothing of the dummy: one that is pushed to for a moment gives it away.
	_, place, ok := c.bands[b].First(nodes)
	if !ok {
		held = []uint32{testNode}
		c.bands[b].Push(nodes, testNode, 0)
		_, testNode, _ = c.bands[b].Pop(nodes)
		return nil, held
	}
	held = append(held, uint32(place))
	for n := uint32(place); ; {
		e, behind, ok := lockfree.After(nodes, n)
		if !ok {
			return list, held
		}
		list, held = append(list, e), append(held, behind)
		n = behind
	}
}

// waiting returns the tasks that wait for a CPU, band by band, the front slot first.
func (c *CPU) waiting() (list []ID) {
	if e := c.lone.Load(); e > reserved && ready(e) {
		list = append(list, named(e))
	}
	if e := c.front.Load(); e != 0 && ready(e) {
		list = append(list, named(e))
	}
	for b := range c.bands {
		if c.bands[b].count.Load() == 0 {
			continue
		}
		entries, _ := c.entriesOf(b)
		for _, e := range entries {
			if ready(e) {
				list = append(list, named(e))
			}
		}
	}
	return list
}

// first returns a task that waits in the queue and would be next, but for the policies; 0 if there is none.
func (c *CPU) first() ID {
	if e := c.lone.Load(); e > reserved && ready(e) {
		return named(e)
	}
	for set := c.bits.Load(); set != 0; set &= set - 1 {
		b := uint32(bits.TrailingZeros64(set))
		if b == frontBit {
			if e := c.front.Load(); e != 0 && ready(e) {
				return named(e)
			}
		} else if e, _, ok := c.head(b); ok {
			return named(e)
		}
	}
	return 0
}

// check fails unless every task and CPU is where its state says. No CPU may be inside the scheduler.
func check(tb testing.TB) {
	tb.Helper()
	queued := map[ID]int{}
	for i := range cpus {
		c := &cpus[i]
		for _, t := range c.waiting() {
			if at, ok := queued[t]; ok {
				tb.Fatalf("task %d is queued on CPUs %d and %d", t, at, i)
			}
			queued[t] = i
			if tasks[t].CPU() != i {
				tb.Fatalf("task %d is queued on CPU %d, but is of CPU %d", t, i, tasks[t].CPU())
			}
		}
		if (c.front.Load() != 0) != (c.bits.Load()>>frontBit&1 != 0) {
			tb.Fatalf("CPU %d: front slot %x, bits %x", i, c.front.Load(), c.bits.Load())
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

// checkNodes fails unless every node is in one place, and bands are counted and seen. It moves spare nodes around.
func checkNodes(tb testing.TB) {
	tb.Helper()
	type place struct { // of a node: a band, or -1 a task's hand, -2 the spares; whose
		band, of int
	}
	holder := make([]place, len(nodes)/nodeStep)
	held := 0
	hold := func(n uint32, band, of int) {
		if old := holder[n/nodeStep]; old != (place{}) {
			tb.Fatalf("node %d is held by %d and by %d", n, old, place{band, of})
		}
		holder[n/nodeStep] = place{band, of + 1}
		held++
	}
	for i := range cpus {
		c := &cpus[i]
		for b := range c.bands {
			entries, own := c.entriesOf(b)
			for _, n := range own {
				hold(n, b, i)
			}
			if n := c.bands[b].count.Load(); int(n) != len(entries) {
				tb.Fatalf("CPU %d, band %d: count %d, want %d", i, b, n, len(entries))
			}
			if len(entries) > 0 && c.bits.Load()>>b&1 == 0 {
				tb.Fatalf("CPU %d: the bit of band %d is clear", i, b)
			}
		}
	}
	var all []uint32
	for n, ok := spares.Pop(nodeLinks); ok; n, ok = spares.Pop(nodeLinks) {
		all = append(all, n)
		hold(n, -2, 0)
	}
	for _, n := range all {
		spares.Push(nodeLinks, n)
	}
	used := 0
	for t := ID(1); t < Tasks(); t++ {
		s, _ := tasks[t].State()
		if n := tasks[t].node.Load(); n != 0 {
			used++
			hold(n, -1, int(t))
		} else if s == StateReady {
			used++ // in a band
		} else if s != StateFree {
			tb.Fatalf("task %d: state %d without a node", t, s)
		}
	}
	if want := len(cpus)*int(nBands+sparesPerCPU) + 2*used; held != want {
		tb.Fatalf("%d nodes are found, want %d", held, want)
	}
}

// checkSettled is check, and that no CPU idles while a task that it may run waits. No CPU may have anything to do.
func checkSettled(tb testing.TB, f *fakeMachine) {
	tb.Helper()
	check(tb)
	waiting := make([][]ID, len(cpus))
	for i := range cpus {
		waiting[i] = cpus[i].waiting()
	}
	for i := range cpus {
		c := &cpus[i]
		if c.need.Load() != 0 {
			tb.Fatalf("CPU %d is not settled", i)
		}
		want := min(c.timers.first.Load(), c.sleeps.first)
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
			for _, t := range waiting[v] {
				if tasks[t].mayRun(i) {
					tb.Fatalf("CPU %d idles while task %d waits for CPU %d", i, t, v)
				}
			}
		}
	}
}

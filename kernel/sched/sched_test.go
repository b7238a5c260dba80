package sched

import (
	"slices"
	"testing"
	"unsafe"
)

func TestTaskRecordLayout(t *testing.T) {
	var tk Task
	if o := unsafe.Offsetof(tk.Ctx); o != 64 {
		t.Errorf("what a switch touches takes %d bytes, want 64", o)
	}
	if s := unsafe.Sizeof(tk); s%64 != 0 {
		t.Errorf("a Task has %d bytes, want a multiple of 64", s)
	}
	var c CPU
	for name, o := range map[string]uintptr{"size": unsafe.Sizeof(c), "bits": unsafe.Offsetof(c.bits), "front": unsafe.Offsetof(c.front),
		"timers": unsafe.Offsetof(c.timers), "idleSince": unsafe.Offsetof(c.idleSince), "bands": unsafe.Offsetof(c.bands),
		"a band": unsafe.Sizeof(c.bands[0])} {
		if o%64 != 0 {
			t.Errorf("CPU record, %s: %d is not a multiple of a cache line", name, o)
		}
	}
	if o := unsafe.Offsetof(c.timers) - unsafe.Offsetof(c.front); o != 64 {
		t.Errorf("the owner's line has %d bytes", o)
	}
	if s := unsafe.Sizeof(idleWords[0]); s%64 != 0 {
		t.Errorf("an idleWord has %d bytes", s)
	}
}

func TestParkWakeOneCPU(t *testing.T) {
	f := boot(t, 1, 1, 8, 0)
	leave(t, 0, 0)
	a := spawn(t, 0)
	if !NeedLeave(0) {
		t.Fatal("an idle CPU was given a task and does not know")
	}
	leave(t, 0, a)
	if NeedLeave(0) {
		t.Fatal("NeedLeave with nothing to do")
	}
	b := spawn(t, 0)
	leave(t, 0, a) // b waits
	want := Get(a).NextSeq()
	seq := Park(0, a, 0)
	if seq != want {
		t.Fatalf("Park = %d, NextSeq was %d", seq, want)
	}
	leave(t, 0, b)
	if Wake(0, a, seq-1, 5, false) || Wake(0, a, seq+1, 5, false) {
		t.Fatal("Wake of another sleep won")
	}
	if !Wake(0, a, seq, 5, false) || Wake(0, a, seq, 6, false) {
		t.Fatal("Wake: want exactly one winner")
	}
	if Get(a).Ctx.RAX != 5 {
		t.Fatalf("RAX = %d", Get(a).Ctx.RAX)
	}
	leave(t, 0, b)
	Yield(0, b)
	leave(t, 0, a)
	seq = Park(0, a, 0)
	leave(t, 0, b)
	WakeRestart(0, a, seq, true)
	leave(t, 0, a) // to the front, and before b at once
	if Get(a).Ctx.RAX != 5 {
		t.Fatal("a restart changed RAX")
	}
	Exit(0, a)
	leave(t, 0, b)
	if Wake(0, a, seq+1, 0, false) {
		t.Fatal("woke the dead")
	}
	if f.kicks.Load() != 0 {
		t.Fatal("a CPU kicked itself")
	}
	checkSettled(t, f)
}

func TestReusedNumberIgnoresOldWakeup(t *testing.T) {
	boot(t, 1, 1, 8, 0)
	a := spawn(t, 0)
	leave(t, 0, a)
	next := Get(a).NextSeq()
	Exit(0, a)
	leave(t, 0, 0)
	if b := spawn(t, 0); b != a {
		t.Fatalf("number %d was not reused but %d", a, b)
	}
	leave(t, 0, a)
	if seq := Park(0, a, 0); seq == next || Wake(0, a, next, 0, false) {
		t.Fatal("a wakeup for the last life woke this one")
	}
}

func TestQuantumPreemptsOnlyForOthers(t *testing.T) {
	f := boot(t, 1, 1, 8, 0)
	a := spawn(t, 0)
	leave(t, 0, a)
	tick := func() {
		f.clock.Store(f.armed[0].Load())
		if !f.interrupt(0) {
			t.Fatal("the timer was not armed")
		}
	}
	tick()
	leave(t, 0, a)
	b := spawn(t, 0)
	end := tasks[a].quantumEnd
	f.clock.Store(end - 1)
	leave(t, 0, a)
	tick()
	leave(t, 0, b)
	tick()
	leave(t, 0, a)
	if s := Stats(0); s.Preemptions != 2 || s.Queued != 1 || s.Current != a {
		t.Fatalf("%+v", s)
	}
	if i := Info(a); i.CPUTime != 2*DefaultQuantum || i.WaitTime != DefaultQuantum || i.Switches != 2 {
		t.Fatalf("%+v", i)
	}
	SetClassQuantum(ClassNormal, MinQuantum)
	tick()
	leave(t, 0, b)
	if f.armed[0].Load() != f.clock.Load()+MinQuantum || ClassQuantum(ClassNormal) != MinQuantum {
		t.Fatal("SetClassQuantum has no effect")
	}
}

func TestSwitchLeavesTimerAlone(t *testing.T) {
	f := boot(t, 1, 1, 8, 0)
	a, b := spawn(t, 0), spawn(t, 0)
	leave(t, 0, a)
	armed := f.armed[0].Load()
	f.clock.Add(1000)
	seq := Park(0, a, 0)
	leave(t, 0, b)
	Wake(0, a, seq, 0, false)
	Park(0, b, 0)
	leave(t, 0, a)
	if f.armed[0].Load() != armed {
		t.Fatal("a switch armed the timer")
	}
	Park(0, a, 0)
	leave(t, 0, 0)
	f.clock.Store(armed)
	f.interrupt(0)
	leave(t, 0, 0)
	if f.armed[0].Load() != Never {
		t.Fatal("an idle CPU armed a timer without a deadline")
	}
}

func TestPlacement(t *testing.T) {
	f := boot(t, 4, 2, 16, 0) // CPUs 0,1 on node 0; 2,3 on node 1
	for cpu := range 4 {
		leave(t, cpu, 0)
	}
	run := func(cpu int) ID {
		t.Helper()
		if f.kicked[cpu].Swap(0) == 0 && !NeedLeave(cpu) {
			t.Fatalf("CPU %d was not kicked", cpu)
		}
		id := Leave(cpu)
		if id == 0 {
			t.Fatalf("CPU %d got nothing", cpu)
		}
		return id
	}
	spawn(t, 0)
	a := run(0) // its last CPU, idle
	spawn(t, 0)
	b := run(1) // the other idle one of the node
	spawn(t, 0)
	c := run(2) // elsewhere
	// b parks; CPU 1 is idle again. a's wakeup of b goes to b's last CPU, not to idle CPU 3.
	seq := Park(1, b, 0)
	leave(t, 1, 0)
	Wake(2, b, seq, 0, false)
	if got := run(1); got != b {
		t.Fatalf("CPU 1 runs %d, want %d", got, b)
	}
	spawn(t, 0)
	d := run(3)
	kicks := f.kicks.Load()
	e := spawn(t, 0) // none idle: waits, without an IPI
	if f.kicks.Load() != kicks || cpus[0].first() != e {
		t.Fatal("with no CPU idle a wakeup must only queue")
	}
	Park(3, d, 0)
	leave(t, 3, e) // going idle pulls
	if Stats(3).Pulls != 1 {
		t.Fatal("not counted as pulled")
	}
	checkSettled(t, f)
	_, _ = a, c
}

func TestIdleClaimedOnce(t *testing.T) {
	f := boot(t, 2, 1, 16, 0)
	leave(t, 0, 0)
	leave(t, 1, 0)
	a := spawn(t, 0)
	leave(t, 0, a)
	spawn(t, 0)
	spawn(t, 0)
	spawn(t, 0)
	if n := f.kicks.Load(); n != 1 {
		t.Fatalf("%d IPIs to one idle CPU, want 1", n)
	}
	if Leave(1) == 0 {
		t.Fatal("CPU 1 has nothing to run")
	}
	Leave(0)
	checkSettled(t, f)
}

func TestUrgent(t *testing.T) {
	f := boot(t, 2, 1, 16, 0)
	a, b, c := spawn(t, 0), spawn(t, 0), spawn(t, 0)
	leave(t, 0, a)
	leave(t, 1, b) // pulled
	d := spawn(t, 0)
	if !slices.Equal(cpus[0].waiting(), []ID{c, d}) {
		t.Fatal("want c, d queued on CPU 0")
	}
	Get(d).Attn.Store(1)
	Urgent(1, d)
	if f.kicked[0].Swap(0) == 0 {
		t.Fatal("no IPI for an urgent task")
	}
	leave(t, 0, d)
	// a made room but its quantum goes on: it is next.
	Park(0, d, 0)
	leave(t, 0, a)
	Get(a).Attn.Store(1)
	Urgent(1, a)
	if f.kicked[0].Swap(0) == 0 || f.kicked[1].Load() != 0 {
		t.Fatal("want one IPI to the CPU that runs the urgent task")
	}
	Urgent(0, a) // itself: nothing to do
	if f.kicked[0].Load() != 0 {
		t.Fatal("a CPU kicked itself")
	}
	// Woken with a signal pending: first, without being told.
	_, seq := Get(d).State()
	Wake(1, d, seq, 0, false)
	if cpus[0].first() != d {
		t.Fatal("a task with Attn was not put first")
	}
}

func TestAffinity(t *testing.T) {
	f := boot(t, 4, 2, 16, 0)
	for cpu := range 4 {
		leave(t, cpu, 0)
	}
	a := spawn(t, 0)
	leave(t, 0, a)
	if SetAffinity(0, a, &CPUSet{0, 1}) {
		t.Fatal("an affinity without any CPU was accepted")
	}
	if !SetAffinity(0, a, &CPUSet{0b1100}) {
		t.Fatal("SetAffinity refused")
	}
	leave(t, 0, 0) // moved away
	leave(t, 2, a)
	b := spawn(t, 2) // inherits
	var m CPUSet
	if GetAffinity(b, &m); m != (CPUSet{0b1100}) {
		t.Fatalf("inherited %b", m[0])
	}
	leave(t, 3, b)
	c := spawn(t, 2) // waits, though 0 and 1 are idle
	leave(t, 0, 0)
	SetAffinity(0, c, &CPUSet{0b0010})
	if f.kicked[1].Load() == 0 {
		t.Fatal("idle CPU 1 was not told")
	}
	leave(t, 1, c)
	SetAffinity(0, b, &CPUSet{^uint64(0), ^uint64(0)})
	if GetAffinity(b, &m); m != online {
		t.Fatalf("all CPUs: %b", m[0])
	}
	SetAffinity(0, c, &CPUSet{1})
	if f.kicked[1].Swap(0) == 0 {
		t.Fatal("a task that runs where it may not any more was not interrupted")
	}
	leave(t, 1, 0)
	leave(t, 0, c)
	checkSettled(t, f)
}

func TestExitHooksAndNumbers(t *testing.T) {
	f := boot(t, 1, 1, 200, 0)
	var dead []ID
	OnExit(func(cpu int, id ID) {
		if Current(cpu) != id {
			t.Error("a hook runs for a task that is not current")
		}
		dead = append(dead, id)
	})
	all := map[ID]bool{}
	for range 200 {
		id := spawn(t, 0)
		if id >= f.usable.Load() {
			t.Fatalf("task %d has no memory: %d usable", id, f.usable.Load())
		}
		if all[id] {
			t.Fatalf("task %d handed out twice", id)
		}
		all[id] = true
	}
	if _, ok := New(0); ok {
		t.Fatal("more tasks than records")
	}
	for range 200 {
		Exit(0, Leave(0))
	}
	leave(t, 0, 0)
	if len(dead) != 200 {
		t.Fatalf("%d hooks ran", len(dead))
	}
	a, _ := New(0)
	SetName(a, []byte("a name of more than 16"))
	if n := Info(a).Name; string(n[:]) != "a name of more t" {
		t.Fatalf("name %q", n)
	}
	Discard(a)
	if Info(a).State != StateFree {
		t.Fatal("Discard left a task")
	}
}

func TestIdleAndBusyTime(t *testing.T) {
	f := boot(t, 1, 1, 8, 0)
	start := f.clock.Load()
	leave(t, 0, 0)
	f.clock.Add(300)
	if s := Stats(0); s.Idle != f.clock.Load()-start || s.Busy != 0 {
		t.Fatalf("%+v", s)
	}
	a := spawn(t, 0)
	leave(t, 0, a)
	f.clock.Add(500)
	if CPUTime(0) != 500 {
		t.Fatalf("CPU time %d", CPUTime(0))
	}
	Park(0, a, 0)
	leave(t, 0, 0)
	f.clock.Add(200)
	if s := Stats(0); s.Idle != 500 || s.Busy != 500 {
		t.Fatalf("%+v", s)
	}
}

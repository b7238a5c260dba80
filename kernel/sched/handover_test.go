package sched

import (
	"testing"

	"pdac/kernel/lockfree"
)

// sleeper is a current task that goes to sleep under a lock, as a system call does.
func sleeper(f *fakeMachine, cpu int) ID {
	var lock lockfree.SpinLock
	lock.Lock()
	next := Sleep(cpu, &Get(Current(cpu)).Ctx, &lock, f.clock.Load())
	if !lock.TryLock() {
		panic("Sleep kept the lock")
	}
	return next
}

// pair boots one CPU with two tasks: a runs, and b sleeps.
func pair(t *testing.T) (f *fakeMachine, a, b ID) {
	f = boot(t, 1, 1, 8, 0)
	leave(t, 0, 0)
	b = spawn(t, 0)
	leave(t, 0, b)
	a = spawn(t, 0)
	if next := sleeper(f, 0); next != 0 && next != a {
		t.Fatalf("went on with %d", next)
	}
	leave(t, 0, a)
	return f, a, b
}

// Two that wake each other take turns without Leave, and share a quantum, at whose end both are behind a third.
func TestHandOver(t *testing.T) {
	f, a, b := pair(t)
	end := Get(a).quantumEnd
	ran, waited := Get(b).cpuTime.Load(), Get(b).waitTime.Load()
	for cur, other := a, b; f.clock.Load() < end; cur, other = other, cur {
		Get(other).Ctx.RAX = unwoken
		f.clock.Add(1000)
		Unpark(0, other, f.clock.Load())
		if Get(other).Ctx.RAX != 0 || NeedLeave(0) {
			t.Fatalf("RAX %d, need %v", Get(other).Ctx.RAX, NeedLeave(0))
		}
		f.clock.Add(300)
		if next := sleeper(f, 0); next != other || Current(0) != other || NeedLeave(0) {
			t.Fatalf("went on with %d, current %d, want %d", next, Current(0), other)
		}
		if Get(other).quantumEnd != end {
			t.Fatalf("quantum ends at %d, its waker's at %d", Get(other).quantumEnd, end)
		}
	}
	checkSettled(t, f)
	n := Get(b).switches.Load()
	if r, w := Get(b).cpuTime.Load()-ran, Get(b).waitTime.Load()-waited; w < 300*(n-2) || w > 300*n || r < 1300*(n-2) || r > 1300*n {
		t.Errorf("b ran for %d ns and waited for %d in %d turns", r, w, n)
	}
	cur, other := Current(0), a
	if cur == a {
		other = b
	}
	c := spawn(t, 0)
	Unpark(0, other, f.clock.Load()) // behind c
	f.interrupt(0)
	leave(t, 0, c)
	Exit(0, c)
	leave(t, 0, other)
	check(t)
}

// A woken task is not kept for its waker where another CPU is idle.
func TestHandOverNotWhileIdle(t *testing.T) {
	f := boot(t, 2, 1, 8, 0) // CPU 1 is off until its first Leave
	leave(t, 0, 0)
	b := spawn(t, 0)
	leave(t, 0, b)
	a := spawn(t, 0)
	sleeper(f, 0)
	leave(t, 0, a)
	leave(t, 1, 0)
	Unpark(0, b, f.clock.Load())
	leave(t, 1, b)
	if next := sleeper(f, 0); next != 0 {
		t.Fatalf("went on with %d", next)
	}
	leave(t, 0, 0)
	checkSettled(t, f)
}

// PassTurn takes turns; alone it goes on.
func TestPassTurn(t *testing.T) {
	f, a, b := pair(t)
	if next := PassTurn(0, a, f.clock.Load()); next != 0 || NeedLeave(0) {
		t.Fatalf("alone: went on with %d", next)
	}
	Unpark(0, b, f.clock.Load())
	for _, want := range []ID{b, a, b, a} {
		f.clock.Add(100)
		if next := PassTurn(0, Current(0), f.clock.Load()); next != want || Current(0) != want {
			t.Fatalf("went on with %d, current %d, want %d", next, Current(0), want)
		}
	}
	checkSettled(t, f)
}

// What came for a task in the slot is seen by who takes it from there.
func TestHandOverDisturbed(t *testing.T) {
	t.Run("signal", func(t *testing.T) {
		f, a, b := pair(t)
		Unpark(0, b, f.clock.Load())
		Get(b).Attn.Store(1)
		Urgent(0, b)
		leave(t, 0, b) // at once
		Get(b).Attn.Store(0)
		sleeper(f, 0)
		leave(t, 0, a)
		checkSettled(t, f)
	})
	t.Run("signal before", func(t *testing.T) {
		f, a, b := pair(t)
		Get(b).Attn.Store(1)
		Unpark(0, b, f.clock.Load())
		leave(t, 0, b)
		Get(b).Attn.Store(0)
		sleeper(f, 0)
		leave(t, 0, a)
		checkSettled(t, f)
	})
	t.Run("class", func(t *testing.T) {
		f, _, b := pair(t)
		Unpark(0, b, f.clock.Load())
		SetPriority(b, LeastUrgent)
		f.clock.Add(10)
		if next := sleeper(f, 0); next != b {
			t.Fatalf("went on with %d", next)
		}
		if end := f.clock.Load() + ClassQuantum(ClassNormal); Get(b).quantumEnd != end {
			t.Fatalf("quantum ends at %d, want %d", Get(b).quantumEnd, end)
		}
		checkSettled(t, f)
	})
	t.Run("thief", func(t *testing.T) {
		f := boot(t, 2, 1, 8, 0)
		var only CPUSet
		only.Add(0)
		leave(t, 0, 0)
		b := spawn(t, 0)
		SetAffinity(0, b, &only)
		leave(t, 0, b)
		a := spawn(t, 0)
		SetAffinity(0, a, &only)
		sleeper(f, 0)
		leave(t, 0, a)
		Unpark(0, b, f.clock.Load())
		SetAffinity(0, b, &online)
		if got := on(0).take(1); got != b {
			t.Fatalf("the thief has %d", got)
		}
		on(1).cur.Store(b)
		if next := sleeper(f, 0); next != 0 || Current(0) != 0 || !NeedLeave(0) {
			t.Fatalf("went on with %d", next)
		}
		leave(t, 0, 0)
	})
	t.Run("affinity", func(t *testing.T) {
		f := boot(t, 2, 1, 8, 0)
		var here, there CPUSet
		here.Add(0)
		there.Add(1)
		leave(t, 0, 0)
		b := spawn(t, 0)
		SetAffinity(0, b, &here)
		leave(t, 0, b)
		a := spawn(t, 0)
		SetAffinity(0, a, &here)
		sleeper(f, 0)
		leave(t, 0, a)
		Unpark(0, b, f.clock.Load())
		SetAffinity(0, b, &there)
		sleeper(f, 0)
		leave(t, 0, 0)
		leave(t, 1, b)
	})
}

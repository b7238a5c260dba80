package sched

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// TestTimerOrderAgainstModel arms, re-arms and disarms timers at random, and compares each expiry with a plain map.
func TestTimerOrderAgainstModel(t *testing.T) {
	const n = 300
	for seed := range uint64(20) {
		f := boot(t, 4, 1, 8, n)
		for cpu := range 4 {
			Leave(cpu)
		}
		type armed struct {
			deadline uint64
			cpu      int
		}
		model := map[Timer]armed{}
		var fired []Timer
		OnTimer(func(cpu int, tm Timer) {
			if model[tm].cpu != cpu {
				t.Fatalf("timer %d fired on CPU %d, was armed on %d", tm, cpu, model[tm].cpu)
			}
			fired = append(fired, tm)
		})
		var tms []Timer
		for range n {
			tm, ok := NewTimer(0)
			if !ok {
				t.Fatal("NewTimer")
			}
			tms = append(tms, tm)
		}
		if _, ok := NewTimer(0); ok {
			t.Fatal("more timers than nodes")
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 2000 {
			tm, cpu := tms[rng.IntN(n)], rng.IntN(4)
			switch rng.IntN(8) {
			case 0, 1, 2, 3:
				d := f.clock.Load() + rng.Uint64N(10000)
				ArmTimer(cpu, tm, d)
				model[tm] = armed{d, cpu}
			case 4:
				_, want := model[tm]
				if DisarmTimer(cpu, tm) != want {
					t.Fatalf("DisarmTimer(%d) = %v", tm, !want)
				}
				delete(model, tm)
			default:
				now := f.clock.Add(rng.Uint64N(300))
				fired = fired[:0]
				for _, tm := range slices.Clone(tms) { // forget nothing: heads of the model
					if a, ok := model[tm]; ok && a.cpu == cpu && cpus[cpu].timers.first.Load() > a.deadline {
						t.Fatalf("CPU %d: first %d, but timer %d is due at %d", cpu, cpus[cpu].timers.first.Load(), tm, a.deadline)
					}
				}
				Tick(cpu)
				var want []uint64
				for tm, a := range model {
					if a.cpu == cpu && a.deadline <= now {
						want = append(want, a.deadline)
						if !slices.Contains(fired, tm) {
							t.Fatalf("timer %d did not fire", tm)
						}
					}
				}
				slices.Sort(want)
				var got []uint64
				for _, tm := range fired {
					got = append(got, model[tm].deadline)
					delete(model, tm)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d: fired at %v, want %v", seed, got, want)
				}
			}
			if cpu := rng.IntN(4); NeedLeave(cpu) {
				Leave(cpu)
			}
			for cpu := range 4 {
				if first := cpus[cpu].timers.first.Load(); !NeedLeave(cpu) && f.armed[cpu].Load() > first {
					t.Fatalf("CPU %d: armed for %d, first timer %d", cpu, f.armed[cpu].Load(), first)
				}
			}
		}
		for _, tm := range tms {
			FreeTimer(0, tm)
		}
		for cpu := range 4 {
			if q := &cpus[cpu].timers; q.root != 0 || q.count != 0 || q.first.Load() != Never {
				t.Fatalf("CPU %d: timers are left", cpu)
			}
		}
	}
}

func TestSleepTimer(t *testing.T) {
	f := boot(t, 2, 1, 8, 8)
	type timeout struct {
		t   ID
		seq uint64
	}
	var got []timeout
	OnTimeout(func(cpu int, id ID, seq uint64) {
		got = append(got, timeout{id, seq})
		if !Wake(cpu, id, seq, -110, false) {
			t.Error("nobody else wakes here")
		}
	})
	leave(t, 0, 0)
	leave(t, 1, 0)
	a := spawn(t, 0)
	leave(t, 0, a)
	park := func(cpu int, d uint64) uint64 { return Park(cpu, a, f.clock.Load()+d) }
	at := func(cpu int, d uint64) {
		f.clock.Add(d)
		f.interrupt(cpu)
	}

	seq := park(0, 100)
	leave(t, 0, 0)
	at(0, 99)
	leave(t, 0, 0)
	at(0, 1)
	leave(t, 0, a)
	if len(got) != 1 || got[0] != (timeout{a, seq}) || int64(tasks[a].Ctx.RAX) != -110 {
		t.Fatalf("timeouts %v, RAX %d", got, int64(tasks[a].Ctx.RAX))
	}

	// Woken early: the entry stays and expires for nothing, in a later sleep without deadline.
	seq = park(0, 100)
	leave(t, 0, 0)
	Wake(0, a, seq, 0, false)
	leave(t, 0, a)
	Park(0, a, 0)
	leave(t, 0, 0)
	at(0, 200)
	leave(t, 0, 0)
	if len(got) != 1 {
		t.Fatalf("a stale entry expired: %v", got)
	}

	// Woken early, moved, parked elsewhere: the old entry stays in the first CPU's heap, and expires for nothing.
	_, seq = Get(a).State()
	Wake(0, a, seq, 0, false)
	leave(t, 0, a)
	seq = park(0, 1000)
	leave(t, 0, 0)
	SetAffinity(0, a, &CPUSet{0b10})
	Wake(0, a, seq, 0, false)
	leave(t, 1, a)
	seq = park(1, 500)
	leave(t, 1, 0)
	if cpus[0].sleeps.root != a || node(cpus[1].sleeps.root).task.Load() != a {
		t.Fatal("want an entry in each heap")
	}
	at(1, 500)
	leave(t, 1, a)
	if len(got) != 2 || got[1] != (timeout{a, seq}) {
		t.Fatalf("timeouts %v", got)
	}

	// A stale entry does not outlive its task.
	seq = park(1, 500)
	Leave(1)
	Wake(1, a, seq, 0, false)
	leave(t, 1, a)
	Exit(1, a)
	leave(t, 1, 0)
	if cpus[1].sleeps.root != 0 {
		t.Fatal("Exit left the sleep timer")
	}
}

// TestDisarmWaitsForCallback lets CPUs fire interval timers that arm themselves while others disarm them: once DisarmTimer
// has returned, the callback must neither run nor come.
func TestDisarmWaitsForCallback(t *testing.T) {
	const n, ncpu, rounds = 4, 2, 300
	f := boot(t, ncpu, 1, 8, n)
	var busy, stopped [n + 1]atomic.Bool
	var fired atomic.Uint64
	OnTimer(func(cpu int, tm Timer) {
		if stopped[tm].Load() {
			t.Errorf("timer %d fired after DisarmTimer", tm)
		}
		busy[tm].Store(true)
		fired.Add(1)
		runtime.Gosched()
		ArmTimer(cpu, tm, f.clock.Load()+3)
		busy[tm].Store(false)
	})
	for range n {
		NewTimer(0)
	}
	var wg sync.WaitGroup
	var done atomic.Bool
	// Each timer is armed by a request to CPU 0, so that arming and disarming are kept apart; CPU 0 fires.
	var request [n + 1]atomic.Bool
	wg.Go(func() {
		for !done.Load() {
			for tm := Timer(1); tm <= n; tm++ {
				if request[tm].Load() {
					stopped[tm].Store(false)
					ArmTimer(0, tm, f.clock.Load()+2)
					request[tm].Store(false)
				}
			}
			f.clock.Add(1)
			Tick(0)
			Leave(0)
			runtime.Gosched()
		}
	})
	rng := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		tm := Timer(1 + rng.IntN(n))
		request[tm].Store(true)
		for request[tm].Load() {
			runtime.Gosched()
		}
		for range rng.IntN(4) {
			runtime.Gosched()
		}
		DisarmTimer(1, tm)
		stopped[tm].Store(true)
		if busy[tm].Load() {
			t.Errorf("timer %d: the callback still runs", tm)
		}
	}
	done.Store(true)
	wg.Wait()
	if fired.Load() == 0 {
		t.Fatal("no timer ever fired")
	}
}

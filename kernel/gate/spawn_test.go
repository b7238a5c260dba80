package gate

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pdac/kernel/space"
)

// machineThreads is the scheduler of the tests: it remembers what it was told.
type machineThreads struct {
	sync.Mutex
	tuned map[int]TaskOptions
	last  TaskOptions
	procs []int
	full  atomic.Bool  // no memory
	asked atomic.Int32 // for how many threads there was to be memory, last
	hold  sync.Mutex   // keeps changes of the Ps waiting
}

func (m *machineThreads) hooks() Threads {
	m.tuned = map[int]TaskOptions{}
	return Threads{
		This: syscall.Gettid,
		Tune: func(n int, o TaskOptions) {
			m.Lock()
			defer m.Unlock()
			m.tuned[n], m.last = o, o
		},
		Info: func(n int, s *TaskStatus) { s.Switches = 5 },
		Room: func(n int) bool {
			m.asked.Store(int32(n))
			return !m.full.Load()
		},
		Most:  100,
		Nodes: 2,
		Procs: func(n int) {
			m.hold.Lock()
			defer m.hold.Unlock()
			m.Lock()
			defer m.Unlock()
			m.procs = append(m.procs, n)
		},
	}
}

func (m *machineThreads) of(n int) (TaskOptions, bool) {
	m.Lock()
	defer m.Unlock()
	o, ok := m.tuned[n]
	return o, ok
}

// TestSpawn: a task runs on a thread of its own, in its space, as it was asked to, and is joined.
func TestSpawn(t *testing.T) {
	b := openGate(t)
	home := must(NewSpace(b.root.Spaces, Authority{}))
	o := TaskOptions{Name: "worker", Class: Latency, Priority: -2, Tickets: 7, Quantum: time.Millisecond, CPUs: []int{1, 3}, Home: OnNode(1), Space: home}
	var where uint32
	var thread int
	id := must(Spawn(b.root.Task, o, func() {
		where, thread = space.Get(), syscall.Gettid()
		for range 100 {
			runtime.Gosched()
			if syscall.Gettid() != thread {
				t.Error("the task changed threads")
			}
		}
	}))
	ok(t, TaskJoin(id, nil))
	ok(t, TaskJoin(id, nil)) // and again
	if want := uint32(must(SpaceNumber(home))); where != want {
		t.Errorf("ran in space %d, want %d", where, want)
	}
	if got, ok := b.threads.of(thread); !ok || got.Class != Latency || got.Home != 2 || !slices.Equal(got.CPUs, o.CPUs) {
		t.Errorf("thread %d was tuned to %+v", thread, got)
	}
	if s := must(TaskState(id)); !s.Ended || s.Err != nil || s.Killed || s.Thread != 0 {
		t.Errorf("%+v", s)
	}
	quiet(t)
}

func TestSpawnRefuses(t *testing.T) {
	b := openGate(t)
	nothing := func() {}
	for _, o := range []TaskOptions{{Class: 3}, {Priority: -4}, {Priority: 5}, {Tickets: -1}, {Tickets: 65536}, {Quantum: 49 * time.Microsecond},
		{Quantum: 101 * time.Millisecond}, {CPUs: []int{testCPUs}}, {CPUs: []int{-1}}, {Home: -1}, {Home: OnNode(2)}} {
		a := (*ArgumentError)(nil)
		if _, err := Spawn(b.root.Task, o, nothing); !errors.As(err, &a) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := Spawn(b.root.Task, TaskOptions{}, nil); err == nil {
		t.Error("no function, and no error")
	}
	_, err := Spawn(b.root.Task, TaskOptions{Space: b.root.Clock}, nothing)
	want(t, err, ErrType)
	b.threads.full.Store(true)
	_, err = Spawn(b.root.Task, TaskOptions{}, nothing)
	want(t, err, ErrMemory)
	b.threads.full.Store(false)
	release := make(chan struct{})
	var ids []ID
	for range core.threads.Most {
		ids = append(ids, must(Spawn(b.root.Task, TaskOptions{}, func() { <-release })))
	}
	_, err = Spawn(b.root.Task, TaskOptions{}, nothing)
	want(t, err, ErrFull)
	timeout, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	want(t, TaskJoin(ids[0], timeout), context.DeadlineExceeded)
	close(release)
	for _, id := range ids {
		ok(t, TaskJoin(id, nil))
	}
	id := must(Spawn(b.root.Task, TaskOptions{}, nothing))
	ok(t, TaskJoin(id, nil))
}

// TestKill: a task ends at its next gated call, and where it waits in one, by its deferred functions,
// which may make calls.
func TestKill(t *testing.T) {
	for _, track := range []bool{false, true} {
		b := openTracked(t, track)
		e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
		for name, f := range map[string]func(){
			"calls": func() {
				for {
					TimeNow(b.root.Clock)
				}
			},
			"recv":  func() { EndpointRecv(e, nil, &Message{}) },
			"call":  func() { EndpointCall(e, nil, &Message{}, &Message{}) },
			"sleep": func() { TaskSleep(b.root.Task, time.Hour) },
		} {
			t.Run(name, func(t *testing.T) {
				var began, deferred, went atomic.Bool
				id := must(Spawn(b.root.Task, TaskOptions{}, func() {
					began.Store(true)
					defer func() {
						_, err := TimeNow(b.root.Clock)
						deferred.Store(err == nil)
					}()
					f()
					went.Store(true)
				}))
				until(t, "the task", began.Load)
				time.Sleep(time.Millisecond)
				ok(t, TaskKill(id))
				ok(t, TaskKill(id))
				want(t, TaskJoin(id, nil), ErrKilled)
				if !deferred.Load() || went.Load() {
					t.Errorf("deferred %v, went on %v", deferred.Load(), went.Load())
				}
				if s := must(TaskState(id)); !s.Killed || !s.Ended || s.Err != ErrKilled {
					t.Errorf("%+v", s)
				}
				if n := core.pending.Load(); n != 0 {
					t.Errorf("%d kills are pending", n)
				}
				EndpointTryRecv(e, &Message{}) // what call sent
			})
		}
		if _, err := TimeNow(b.root.Clock); err != nil {
			t.Error(err)
		}
		quiet(t)
	}
}

// TestKillSpares: nobody else ends, though all take the slow way.
func TestKillSpares(t *testing.T) {
	b := openGate(t)
	stop := make(chan struct{})
	victim := must(Spawn(b.root.Task, TaskOptions{}, func() { <-stop })) // makes no gated call
	var calls atomic.Int64
	other := must(Spawn(b.root.Task, TaskOptions{}, func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := TimeNow(b.root.Clock); err != nil {
					t.Error(err)
				}
				calls.Add(1)
			}
		}
	}))
	until(t, "the victim's thread", func() bool { return must(TaskState(victim)).Thread != 0 })
	ok(t, TaskKill(victim))
	n := calls.Load()
	until(t, "the other's calls", func() bool { return calls.Load() > n+100 })
	thread := must(TaskState(victim)).Thread
	until(t, "the demotion", func() bool { o, _ := b.threads.of(thread); return o.Class == Batch })
	close(stop)
	ok(t, TaskJoin(other, nil))
	ok(t, TaskJoin(victim, nil)) // it returned
	if n := core.pending.Load(); n != 0 {
		t.Errorf("%d kills are pending", n)
	}
}

// TestKillRaces kills tasks at any time of their lives.
func TestKillRaces(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{Waiters: 64}))
	killed := 0
	for i := range 300 {
		id := must(Spawn(b.root.Task, TaskOptions{}, func() {
			for range i % 7 {
				TaskYield(b.root.Task)
			}
			if i%2 == 0 {
				EndpointRecv(e, nil, &Message{})
			}
		}))
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range i % 11 * 20 {
					runtime.Gosched()
				}
				TaskKill(id)
			})
		}
		wg.Wait()
		switch err := TaskJoin(id, nil); {
		case errors.Is(err, ErrKilled):
			killed++
		case err != nil || i%2 == 0:
			t.Fatalf("task %d: %v", i, err)
		}
		if n := core.pending.Load(); n != 0 {
			t.Fatalf("task %d: %d kills are pending", i, n)
		}
	}
	if killed < 150 {
		t.Errorf("%d of 300 were killed", killed)
	}
	quiet(t)
}

// TestTune changes a task, but neither before it begins nor after its end.
func TestTune(t *testing.T) {
	b := openGate(t)
	stop := make(chan struct{})
	id := must(Spawn(b.root.Task, TaskOptions{Name: "tuned"}, func() { <-stop }))
	until(t, "the task", func() bool { return must(TaskState(id)).Thread != 0 })
	thread := must(TaskState(id)).Thread
	ok(t, TaskTune(id, TaskOptions{Class: Batch, Priority: 2}))
	if o, _ := b.threads.of(thread); o.Class != Batch || o.Priority != 2 || o.Name != "tuned" {
		t.Errorf("tuned to %+v", o)
	}
	for _, o := range []TaskOptions{{Name: "x"}, {Space: 1}, {Priority: 9}} {
		if err := TaskTune(id, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	close(stop)
	ok(t, TaskJoin(id, nil))
	want(t, TaskTune(id, TaskOptions{}), ErrWouldBlock)
}

// TestProcs: tasks bring Ps along in steps, and those go when nobody has needed them for a while.
func TestProcs(t *testing.T) {
	b := openGate(t)
	stop := make(chan struct{})
	var ids []ID
	for range 2*procsStep + 1 {
		ids = append(ids, must(Spawn(b.root.Task, TaskOptions{}, func() { <-stop })))
	}
	want := []int{testCPUs + procsStep, testCPUs + 2*procsStep, testCPUs + 3*procsStep}
	if !slices.Equal(b.threads.procs, want) {
		t.Errorf("Ps %v, want %v", b.threads.procs, want)
	}
	close(stop)
	for _, id := range ids {
		ok(t, TaskJoin(id, nil))
	}
	until(t, "fewer Ps", func() bool {
		b.threads.Lock()
		defer b.threads.Unlock()
		return b.threads.procs[len(b.threads.procs)-1] == testCPUs
	})
}

// TestSpawnManyAtOnce: memory is asked for with that in mind which tasks will take that haven't begun.
func TestSpawnManyAtOnce(t *testing.T) {
	b := openGate(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that they don't, but for rare preemption
	var ids []ID
	most := int32(0)
	for range 10 {
		ids = append(ids, must(Spawn(b.root.Task, TaskOptions{}, func() {})))
		most = max(most, b.threads.asked.Load())
	}
	if most < 2 {
		t.Errorf("room for %d threads was asked for, with 10 about to begin", most)
	}
	for _, id := range ids {
		if err := TaskJoin(id, nil); err != nil {
			t.Error(err)
		}
	}
	b.threads.full.Store(true)
	for range 2 { // what is refused doesn't come
		if _, err := Spawn(b.root.Task, TaskOptions{}, func() {}); !errors.Is(err, ErrMemory) || b.threads.asked.Load() != 1 {
			t.Errorf("room for %d threads was asked for, with none about to begin: %v", b.threads.asked.Load(), err)
		}
	}
}

// TestProcsOutside: the change of the Ps, which waits for the collector, holds up no Revoke.
func TestProcsOutside(t *testing.T) {
	b := openGate(t)
	b.threads.hold.Lock()
	spawned := make(chan ID)
	admitted := func() uint64 { n, _ := taskSpawn.count(); return n }
	before := admitted()
	go func() { spawned <- must(Spawn(b.root.Task, TaskOptions{}, func() {})) }()
	until(t, "the spawning", func() bool { return admitted() > before && core.tasks.live.Load() == 1 })
	revoked := make(chan error, 1)
	go func() { revoked <- CapRevoke(b.root.Clock, derive(t, b.root.Clock, Read)) }()
	select {
	case err := <-revoked:
		ok(t, err)
	case <-time.After(10 * time.Second):
		t.Error("a Revoke waits for the Ps")
	}
	b.threads.hold.Unlock()
	ok(t, TaskJoin(<-spawned, nil))
}

// TestSpawnAtTheLimit: who is refused takes nobody's place, not for a moment.
func TestSpawnAtTheLimit(t *testing.T) {
	openGate(t)
	core.threads.Most = 1
	ok(t, core.tasks.add())
	var refused sync.WaitGroup
	var left atomic.Int32
	for range 3 {
		left.Add(1)
		refused.Go(func() {
			defer left.Add(-1)
			for range 50_000 {
				if err := core.tasks.add(); err != ErrFull {
					t.Error(err)
				}
			}
		})
	}
	for left.Load() > 0 {
		if n := core.tasks.live.Load(); n != 1 {
			t.Errorf("%d tasks", n)
			break
		}
	}
	refused.Wait()
	core.tasks.remove()
	ok(t, core.tasks.add())
	core.tasks.remove()
}

package gate

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/cap"
)

// Threads is the machine's scheduler, for spawned tasks.
type Threads struct {
	This  func() int                      // number of the calling thread; nil: there are no tasks on this machine
	Tune  func(thread int, o TaskOptions) // o is checked
	Info  func(thread int, s *TaskStatus) // fills in what the scheduler knows
	Room  func(n int) bool                // memory for n more threads
	Most  int                             // spawned tasks that there can be
	Nodes int                             // NUMA nodes
	Procs func(n int)                     // runtime.GOMAXPROCS
}

// tasks are the spawned tasks that there are.
//
// Words and writers: live, by add, by who spawns and by tasks that end; coming, those of them whose
// thread may not be there yet, by add, and by the task when it begins. core.pending counts the tasks
// that were killed and don't know yet, and is why calls take the slow way, on which they look (admit).
type tasks struct {
	live        atomic.Int32
	coming      atomic.Int32
	slow        sync.Mutex // keeps kills apart that change core.quick
	byGoroutine sync.Map   // *spawned by asm.Goroutine
	procs       procs
}

// add counts a task that is about to be.
func (k *tasks) add() error {
	if core.threads.This == nil {
		return ErrMissing
	}
	for {
		n := k.live.Load()
		if n >= int32(core.threads.Most) {
			return ErrFull
		}
		if k.live.CompareAndSwap(n, n+1) {
			break
		}
	}
	if !core.threads.Room(int(k.coming.Add(1))) { // what others that come will take is not taken yet
		k.coming.Add(-1)
		k.live.Add(-1)
		return ErrMemory
	}
	return nil
}

// cancel uncounts a task that comes to nothing.
func (k *tasks) cancel() {
	k.coming.Add(-1)
	k.remove()
}

// remove uncounts a task that has begun.
func (k *tasks) remove() {
	k.live.Add(-1)
}

// begin makes the calling goroutine and its thread the task's, and end takes them back.
func (k *tasks) begin(x *spawned) {
	x.life.Lock()
	defer x.life.Unlock()
	x.thread = core.threads.This()
	k.byGoroutine.Store(asm.Goroutine(), x)
	k.coming.Add(-1)
}

func (k *tasks) end(x *spawned) {
	x.life.Lock()
	defer x.life.Unlock()
	k.byGoroutine.Delete(asm.Goroutine())
	x.thread, x.over = 0, true
	x.noticed()
}

// slower makes calls take the slow way, on which they look whether they were killed, by n kills more.
func (k *tasks) slower(n int32) {
	k.slow.Lock()
	defer k.slow.Unlock()
	quick := core.table
	if core.pending.Add(n) != 0 || core.track {
		quick = &noTable
	}
	atomic.StorePointer(&core.quick, unsafe.Pointer(quick))
}

// noTable grants nothing.
var noTable cap.Table

// any says whether there is a spawned task. It inlines.
func (k *tasks) any() bool { return k.live.Load() != 0 }

// waits is called before the caller waits in a call, and waited after. They fail if it was killed.
func (k *tasks) waits(wake func()) error {
	x := k.current()
	if x == nil {
		return nil
	}
	x.wake.Store(&wake)
	return x.spared()
}

func (k *tasks) waited() error {
	x := k.current()
	if x == nil {
		return nil
	}
	x.wake.Store(nil)
	return x.spared()
}

func (x *spawned) spared() error {
	if x.killed.Load() && !x.dying.Load() {
		return ErrKilled
	}
	return nil
}

// current returns the spawned task that the caller is, or nil.
func (k *tasks) current() *spawned {
	if !k.any() {
		return nil
	}
	x, _ := k.byGoroutine.Load(asm.Goroutine())
	s, _ := x.(*spawned)
	return s
}

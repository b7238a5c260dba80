package gate

import (
	"runtime"
	"time"

	"pdac/kernel/klog"
	"pdac/kernel/space"
)

// The life of a spawned task, as others see and end it.
//
// Words and writers: killed, once, by who kills; dying, by CAS from false, by the task, or by its end,
// whichever is first: it takes back the killer's count in pending. wake is the task's own: what ends
// its wait, nil while it waits for nothing.
//
// No kill is lost: who kills stores killed, and then loads wake; the task stores wake, and then loads
// killed, before it waits (Dekker). And a call that begins after the kill sees pending, takes the slow
// way, and looks.
//
// The task is its goroutine, of which nobody else has the descriptor's address while it lives: should it
// unlock its thread, who comes to that one isn't ended in its place.
//
// thread is good under life: a task that ends takes the lock before its thread's number is anybody
// else's, so that no other thread is tuned in its place.

// lateAfter is how long a task may take to end when it was killed before that is reported.
const lateAfter = time.Second

func (x *spawned) kill() {
	if !x.condemn() {
		return
	}
	if wake := x.wake.Load(); wake != nil {
		(*wake)()
	}
	time.AfterFunc(lateAfter, x.late)
}

// condemn marks the task as killed, unless it is or has ended.
func (x *spawned) condemn() bool {
	x.life.Lock()
	defer x.life.Unlock()
	if x.over || x.killed.Load() {
		return false
	}
	core.tasks.slower(1) // first: who sees killed takes it back
	x.killed.Store(true)
	return true
}

// late reports and demotes a task that goes on.
func (x *spawned) late() {
	s := x.status()
	if s.Thread == 0 { // it is about to look, or has ended
		return
	}
	does := " and makes no gated call"
	if x.dying.Load() {
		does = " and its deferred functions go on"
	}
	klog.New(klog.Warn).Str("gate: task ").Dec(uint64(s.Thread)).Str(" was killed a second ago").Str(does).End()
	x.tune(func(o *TaskOptions) { o.Class, o.Priority, o.Tickets = Batch, MaxPriority, 1 })
}

// noticed takes the count in pending back, once.
func (x *spawned) noticed() {
	if x.killed.Load() && !x.dying.Swap(true) {
		core.tasks.slower(-1)
	}
}

// heed is stop where a call begins.
func heed() {
	if core.pending.Load() != 0 {
		core.tasks.stop()
	}
}

// stop ends the calling goroutine, if it is a task that was killed and doesn't know yet. The caller is
// in no section, or leaves it by defer.
func (k *tasks) stop() {
	if x := k.current(); x != nil && x.killed.Load() && !x.dying.Load() {
		x.noticed()
		runtime.Goexit()
	}
}

// tune changes the task's thread to what change makes of its options. False: it has none.
func (x *spawned) tune(change func(o *TaskOptions)) bool {
	x.life.Lock()
	defer x.life.Unlock()
	if x.thread == 0 {
		return false
	}
	change(&x.options)
	defer space.Set(space.Get())
	enterKernel()
	core.threads.Tune(x.thread, x.options)
	return true
}

func (x *spawned) status() TaskStatus {
	x.life.Lock()
	defer x.life.Unlock()
	s := TaskStatus{Killed: x.killed.Load()}
	select {
	case <-x.done:
		s.Ended, s.Err = true, x.err
	default:
	}
	if x.thread != 0 {
		s.Thread = x.thread
		core.threads.Info(x.thread, &s)
	}
	return s
}

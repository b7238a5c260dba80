package gate

import (
	"context"
	"slices"
	"time"
)

// What can be done to a spawned task by who has a capability for it.

// TaskStatus describes a spawned task. Times are since it began.
type TaskStatus struct {
	Thread     int           // number of its kernel thread; 0: it hasn't begun, or has ended
	CPU, Node  int           // where it runs or last ran
	Used       time.Duration // CPU time
	Waited     time.Duration // ready, but not running
	Switches   uint64        // times put on a CPU
	Migrations uint64
	Killed     bool
	Ended      bool
	Err        error // how it ended: nil, or ErrKilled
}

// TaskJoin waits until the task has ended, as long as ctx says (nil: for ever). It returns nil if its
// function returned. id has Read.
//
// Errors: of id; ErrKilled: the task was; ctx's.
func TaskJoin(id ID, ctx context.Context) error {
	ctx, cancel := calm(ctx)
	defer cancel()
	g, err := enterBlocking(taskJoin, id)
	if err != nil {
		return err
	}
	defer g.end()
	x := value[*spawned](g.object)
	var stop <-chan struct{}
	if ctx != nil {
		stop = ctx.Done()
	}
	if err := wait(&g, x.done, stop); err != nil {
		return taskJoin.fail(err)
	}
	select {
	case <-x.done:
		return taskJoin.fail(x.err)
	default:
		return taskJoin.fail(ctx.Err())
	}
}

// TaskKill ends the task at its next gated call, or where it waits in one: its deferred functions run,
// and may make gated calls. What reaches none can't be ended, nor can deferred functions: after a second
// that is logged, and the task goes on in class Batch with the last priority. A task that has ended stays as it is. id has Delete.
//
// What it holds ends as for any goroutine: its capabilities are its space's, and stay.
func TaskKill(id ID) error {
	t, o, err := enter(taskKill, id)
	if err != nil {
		return err
	}
	defer t.Release()
	value[*spawned](o).kill()
	return nil
}

// TaskTune changes what the task is like: all of o but Name and Space, which must be zero. It takes
// effect when the task is next queued. id has Write.
//
// Errors: of id; *ArgumentError; ErrWouldBlock: it hasn't begun, or has ended.
func TaskTune(id ID, o TaskOptions) error {
	if o.Name != "" || o.Space != 0 {
		return taskTune.bad("Name, Space", "nothing: a task keeps them")
	}
	if err := taskTune.check(&o); err != nil {
		return err
	}
	o.CPUs = slices.Clone(o.CPUs)
	t, v, err := enter(taskTune, id)
	if err != nil {
		return err
	}
	defer t.Release()
	if !value[*spawned](v).tune(func(x *TaskOptions) { o.Name, o.Space = x.Name, x.Space; *x = o }) {
		return taskTune.fail(ErrWouldBlock)
	}
	return nil
}

// TaskState tells about a task. id has Read.
func TaskState(id ID) (TaskStatus, error) {
	t, o, err := enter(taskState, id)
	if err != nil {
		return TaskStatus{}, err
	}
	defer t.Release()
	return value[*spawned](o).status(), nil
}

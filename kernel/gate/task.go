package gate

import (
	"runtime"
	"time"

	"pdac/kernel/space"
)

// The calling task: what runs the goroutine that calls.

// Task describes the calling task.
type Task struct {
	Space Space // of the goroutine
	ID    int   // number of the kernel thread; the goroutine may be on another one next time
	CPU   int
	Node  int
	Used  time.Duration // CPU time of the thread, up to its last switch or tick
}

// TaskYield lets other goroutines run. id has Execute.
func TaskYield(id ID) error {
	t, _, err := enter(taskYield, id)
	if err != nil {
		return err
	}
	t.Release()
	runtime.Gosched()
	return nil
}

// TaskSleep sleeps for d, or until the capability is no longer good. id has Execute.
func TaskSleep(id ID, d time.Duration) error {
	g, err := enterBlocking(taskSleep, id)
	if err != nil {
		return err
	}
	defer g.end()
	return taskSleep.fail(g.sleepUntil(core.now() + uint64(max(d, 0))))
}

// TaskInfo tells about the calling task. id has Read.
//
// Errors: of id; ErrMissing.
func TaskInfo(id ID) (Task, error) {
	t, _, err := enter(taskInfo, id)
	if err != nil {
		return Task{}, err
	}
	defer t.Release()
	if core.task == nil {
		return Task{}, taskInfo.fail(ErrMissing)
	}
	i := core.task()
	i.Space = Space(space.Get())
	return i, nil
}

// sleepUntil waits until a time on the gate's clock.
func (g *guard) sleepUntil(at uint64) error {
	for core.now() < at {
		if err := g.sleep(at, nil); err != nil {
			return err
		}
	}
	return nil
}

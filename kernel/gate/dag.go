package gate

import (
	"slices"
	"sync"

	"pdac/kernel/sched/dag"
)

// Graphs of small functions, on one worker for each CPU (package dag). What the machine adds is where
// the workers are: each is bound to its CPU, and takes over work from near ones first.

// graphs are the executors that were made, for the console.
var graphs struct {
	sync.Mutex
	all []*dag.Executor
}

// Executor makes an executor with a worker on each CPU, for as many runs at a time as inFlight (0: 64).
// Its functions run in the caller's space. Close ends it. id is one for Roots.Task with Create.
//
// Errors: of id; *ArgumentError; ErrMissing.
func Executor(id ID, inFlight int) (*dag.Executor, error) {
	t, _, err := enter(taskExecutor, id)
	if err != nil {
		return nil, err
	}
	t.Release() // the workers are waited for
	if core.workers == nil {
		return nil, taskExecutor.fail(ErrMissing)
	}
	c := core.workers()
	if inFlight < 0 || inFlight > 1<<16 {
		return nil, taskExecutor.bad("inFlight", "0 to 65536")
	}
	c.InFlight = inFlight
	e, err := dag.NewExecutor(c)
	if err != nil {
		return nil, taskExecutor.fail(err)
	}
	graphs.Lock()
	defer graphs.Unlock()
	graphs.all = append(slices.DeleteFunc(graphs.all, (*dag.Executor).Closed), e)
	return e, nil
}

// Executors returns what each executor has done that wasn't closed.
func (*Operator) Executors() []dag.Stats {
	graphs.Lock()
	defer graphs.Unlock()
	var s []dag.Stats
	for _, e := range graphs.all {
		if !e.Closed() {
			s = append(s, e.Stats())
		}
	}
	return s
}

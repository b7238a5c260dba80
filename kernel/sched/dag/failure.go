package dag

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Error says why a run ended before all of its functions were called. Of several that fail the first one counts.
type Error struct {
	Graph string
	Path  []string // names from a function that waits for none to the one that failed; nil: the run was cancelled
	Err   error    // what the function returned, a *PanicError, ErrGoexit, or the cause of the cancellation
}

func (e *Error) Error() string {
	if e.Path == nil {
		return fmt.Sprintf("dag: graph %s: cancelled: %v", e.Graph, e.Err)
	}
	return fmt.Sprintf("dag: graph %s: %s: %v", e.Graph, shorten(e.Path), e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// shorten joins the names of a path, at most both ends of a long one.
func shorten(path []string) string {
	const ends = 5
	if n := len(path) - 2*ends; n > 1 {
		path = slices.Concat(path[:ends], []string{fmt.Sprintf("... %d more ...", n)}, path[len(path)-ends:])
	}
	return strings.Join(path, " > ")
}

// PanicError is the panic of a function. It unwraps to the value, if that is an error.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine that panicked, as debug.Stack has it
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// over reports whether no more functions of the run are to be called. It is inlined.
func (r *run) over() bool {
	return r.failure.Load() != nil || r.done != nil && r.cancelled()
}

// cancelled reports whether the run's context is done, and if so fails the run.
func (r *run) cancelled() bool {
	select {
	case <-r.done:
		r.failure.CompareAndSwap(nil, &Error{Graph: r.plan.name, Err: context.Cause(r.ctx)})
		return true
	default:
		return false
	}
}

// fail ends the run with the error of a step, unless it has failed before.
func (r *run) fail(at uint32, err error) {
	r.failure.CompareAndSwap(nil, &Error{r.plan.name, r.plan.path(at), err})
}

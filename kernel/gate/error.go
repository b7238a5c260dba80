package gate

import (
	"errors"
	"strconv"

	"pdac/kernel/cap"
	"pdac/kernel/ipc"
)

// Whose fault it is. Every call returns nil or a *CallError; errors.Is and errors.As find one of
// these in it, or a *PermissionError (which permission is missing), an *ExceedsError (what there
// isn't to give), an *ArgumentError (which, and what was expected), or an *ItemError (which item of
// a message, and why).
const (
	// The capability's.
	ErrNoCapability = cap.ErrNoCapability // the identifier never was one
	ErrRevoked      = cap.ErrRevoked      // it was one
	ErrType         = cap.ErrType         // it is for another type of object
	ErrObject       = cap.ErrObject       // the object is gone
	ErrPermission   = cap.ErrPermission   // as *PermissionError
	ErrExceeds      = cap.ErrExceeds      // as *ExceedsError
	ErrNotOwner     = cap.ErrNotOwner     // the authority is not above the capability
	ErrInside       = cap.ErrInside       // called by a formula's function
	ErrBusy         = cap.ErrBusy         // another grant to it is under way
	ErrFormula      = cap.ErrFormula      // there is no such formula

	// Its formula's, or its account's.
	ErrExpired   = cap.ErrExpired
	ErrUsedUp    = cap.ErrUsedUp
	ErrOverQuota = cap.ErrOverQuota
	ErrRefused   = cap.ErrRefused
	ErrGas       = cap.ErrGas // out of gas

	// The endpoint's.
	ErrWouldBlock = ipc.ErrWouldBlock // not without waiting
	ErrDead       = ipc.ErrDead       // it was closed, or its last capability is gone
	ErrCrowded    = ipc.ErrCrowded    // too many calls wait there
	ErrNoCall     = ipc.ErrNoCall     // nobody waits for this reply

	ErrTooManyCaps = ipc.ErrTooManyCaps // an *ArgumentError
)

// Error is an error of the gate's own.
type Error uint8

const (
	_          Error = iota
	ErrNoSpace       // no such space, or it has ended
	ErrStopped       // the timer was stopped, or has fired for the last time
	ErrTaken         // the kernel's console has the line
	ErrMemory        // no memory, or no addresses for it
	ErrFull          // too many of these
	ErrMissing       // this machine has none
	ErrStay          // pages stay on nodes that the policy does not name
	ErrKilled        // the task was killed
)

var errorTexts = [...]string{
	ErrNoSpace: "no such space",
	ErrStopped: "timer stopped",
	ErrTaken:   "the kernel's console has the line",
	ErrMemory:  "out of memory",
	ErrFull:    "too many",
	ErrMissing: "not on this machine",
	ErrStay:    "pages stay on other nodes: there is no memory on the policy's",
	ErrKilled:  "killed",
}

func (e Error) Error() string {
	if int(e) < len(errorTexts) && e != 0 {
		return "gate: " + errorTexts[e]
	}
	return "gate: error " + strconv.Itoa(int(e))
}

// Errors that tell more.
type (
	PermissionError = cap.PermissionError
	ExceedsError    = cap.ExceedsError
	ItemError       = ipc.ItemError
)

// CallError is the error of a call.
type CallError struct {
	Call string // its name in the table
	Err  error
}

func (e *CallError) Error() string { return e.Call + ": " + e.Err.Error() }
func (e *CallError) Unwrap() error { return e.Err }

// ArgumentError says which argument of a call was bad.
type ArgumentError struct {
	Argument string
	Want     string // what was expected
	Err      error  // the name of the error, if it has one
}

func (e *ArgumentError) Error() string { return e.Argument + ": want " + e.Want }
func (e *ArgumentError) Unwrap() error { return e.Err }

// fail gives an error the name of its call. nil stays nil. It ends the caller if that was killed while
// it waited.
func (c call) fail(err error) error {
	if err == nil {
		return nil
	}
	if err == ErrKilled {
		core.tasks.stop()
	}
	return &CallError{callTable[c].name, err}
}

// bad is the error of a bad argument.
func (c call) bad(argument, want string) error {
	return c.fail(&ArgumentError{Argument: argument, Want: want})
}

// arguments are those errors of package ipc that are about a call's arguments.
var arguments = [...]struct {
	err            ipc.Error
	argument, want string
}{
	{ipc.ErrTooLong, "message", "a payload of at most 128 bytes"},
	{ipc.ErrTooManyCaps, "message", "at most 4 capabilities"},
	{ipc.ErrTooManyPages, "message", "at most 4 ranges of pages"},
	{ipc.ErrArgument, "options", "a capacity of 1 to 4096 and 1 to 16384 waiters, or 0"},
}

// failIPC is fail for an error of package ipc.
func (c call) failIPC(err error) error {
	if err == nil {
		return nil
	}
	for i := range arguments {
		if a := &arguments[i]; errors.Is(err, a.err) {
			return c.fail(&ArgumentError{a.argument, a.want, err})
		}
	}
	return c.fail(err)
}

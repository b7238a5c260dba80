package gate

import (
	"time"

	"pdac/kernel/cap"
	"pdac/kernel/ipc"
	"pdac/kernel/rcu"
)

// Calls that block. A goroutine that waits is in no section, or it would hold up every Revoke: it
// registers as a waiter under its capability, looks once more whether that is still good, leaves,
// waits, enters and looks anew. Revoke and Narrow change the word and then wake the waiters, so
// either the look or the wait notices (cap, wait.go).
//
// The look asks for the identifier, the permissions and the time. The rest of the formula was asked, and
// paid, when the call began: a call is one use, however often it is woken. Time alone wakes nobody: a call
// whose capability expires waits on, and what comes to it then goes to the next.

// guard is the section of a call that may block.
type guard struct {
	ipc.Admission
	object cap.Object
}

// enterBlocking is enter for a call that may block; it is left by end.
func enterBlocking(c call, id ID) (guard, error) {
	s, o, err := enter(c, id)
	return guard{ipc.Admission{Guard: &waiting, ID: id, Need: callTable[c].Need, Held: s}, o}, err
}

// end leaves the section.
func (g *guard) end() { g.Held.Release() }

// sections is how a call leaves its section to wait. It implements ipc.Guard.
type sections struct{}

var waiting sections

// Wait implements ipc.Guard.
func (*sections) Wait(id ID, need Perm, held rcu.Held, w *ipc.Watch) (rcu.Held, error) {
	if !w.Waiter.Again(id) {
		var err error
		if w.Waiter, err = core.table.Await(id, w.Wake); err != nil {
			return held, err
		}
	}
	if !core.table.Holds(id, need) {
		if err := lost(id, need); err != nil {
			core.table.Done(w.Waiter)
			return held, err
		}
	}
	if core.tasks.any() {
		if err := core.tasks.waits(w.Wake); err != nil {
			core.table.Done(w.Waiter)
			return held, err
		}
	}
	held.Release()
	w.Sleep()
	core.table.Done(w.Waiter)
	if core.track {
		held = begin()
	} else {
		held = here().rcu.Hold()
	}
	if core.tasks.any() {
		if err := core.tasks.waited(); err != nil {
			return held, err
		}
	}
	if !core.table.Holds(id, need) {
		return held, lost(id, need)
	}
	return held, nil
}

// lost says why a capability isn't good as before; nil: it is, and has a formula, which hasn't expired.
func lost(id ID, need Perm) error {
	i, err := core.table.Info(id)
	if err != nil {
		return err
	}
	if missing := need &^ i.Perms; missing != 0 {
		return &PermissionError{Missing: missing}
	}
	if core.table.Expired(id) {
		return ErrExpired
	}
	return nil
}

// wait waits until something comes on c, or on stop, or the capability is no longer good.
func wait[T any](g *guard, c <-chan T, stop <-chan struct{}) (err error) {
	woken := make(chan struct{}, 1)
	came := false
	w := ipc.Watch{
		Wake: func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		},
		Sleep: func() {
			select {
			case <-c:
				came = true
			case <-stop:
				came = true
			case <-woken: // narrowed, perhaps
			}
		},
	}
	for err == nil && !came {
		g.Held, err = waiting.Wait(g.ID, g.Need, g.Held, &w)
	}
	return err
}

// sleep waits until a time on the gate's clock, or a little less, or until something comes on stop.
func (g *guard) sleep(at uint64, stop <-chan struct{}) error {
	timer := time.NewTimer(time.Duration(min(at-min(core.now(), at), 1<<62)))
	defer timer.Stop()
	return wait(g, timer.C, stop)
}

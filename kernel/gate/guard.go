package gate

import (
	"sync"
	"time"

	"pdac/kernel/cap"
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

// guard is the section of a call that may block. It implements ipc.Guard.
type guard struct {
	need    Perm
	id      ID
	object  cap.Object
	section rcu.Held
	inside  bool
	waiter  cap.Waiter
}

// enterBlocking is enter for a call that may block; it is left by end.
func enterBlocking(c call, id ID) (*guard, error) {
	s, o, err := enter(c, id)
	if err != nil {
		return nil, err
	}
	g := here().guard.Swap(nil)
	if g == nil {
		if g, _ = guards.Get().(*guard); g == nil {
			g = new(guard)
		}
	}
	g.need, g.id, g.object, g.section, g.inside = callTable[c].Need, id, o, s, true
	return g, nil
}

// guards are those of calls that ended, but for one on each CPU, which a third of a pool's
// instructions find.
var guards sync.Pool

// end leaves the section, if the call is in it. The guard is no more.
func (g *guard) end() {
	g.out()
	if !here().guard.CompareAndSwap(nil, g) {
		guards.Put(g)
	}
}

// out leaves the section, if the call is in it.
func (g *guard) out() {
	if g.inside {
		g.inside = false
		g.section.Release()
	}
}

// Leave implements ipc.Guard. After an error the call is still in its section.
func (g *guard) Leave(wake func()) error {
	w, err := core.table.Await(g.id, wake)
	if err != nil {
		return err
	}
	if !core.table.Holds(g.id, g.need) {
		if err := g.lost(); err != nil {
			core.table.Done(w)
			return err
		}
	}
	g.waiter = w
	g.inside = false
	g.section.Release()
	return nil
}

// Enter implements ipc.Guard. After an error the call is in its section too.
func (g *guard) Enter() error {
	core.table.Done(g.waiter)
	g.section = begin(1)
	g.inside = true
	if !core.table.Holds(g.id, g.need) {
		return g.lost()
	}
	return nil
}

// lost says why the capability isn't good as before; nil: it is, and has a formula, which hasn't expired.
func (g *guard) lost() error {
	i, err := core.table.Info(g.id)
	if err != nil {
		return err
	}
	if missing := g.need &^ i.Perms; missing != 0 {
		return &PermissionError{Missing: missing}
	}
	if core.table.Expired(g.id) {
		return ErrExpired
	}
	return nil
}

// wait waits until something comes on c, or on stop, or the capability is no longer good.
func wait[T any](g *guard, c <-chan T, stop <-chan struct{}) error {
	woken := make(chan struct{}, 1)
	wake := func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
	for came := false; !came; {
		if err := g.Leave(wake); err != nil {
			return err
		}
		select {
		case <-c:
			came = true
		case <-stop:
			came = true
		case <-woken: // narrowed, perhaps
		}
		if err := g.Enter(); err != nil {
			return err
		}
	}
	return nil
}

// sleep waits until a time on the gate's clock, or a little less, or until something comes on stop.
func (g *guard) sleep(at uint64, stop <-chan struct{}) error {
	timer := time.NewTimer(time.Duration(min(at-min(core.now(), at), 1<<62)))
	defer timer.Stop()
	return wait(g, timer.C, stop)
}

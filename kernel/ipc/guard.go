package ipc

import (
	"pdac/kernel/cap"
	"pdac/kernel/rcu"
)

// Admission is what let a gated call in: its capability, and the read section that it is in. It is the
// caller's, on his stack; a call that waits leaves the section, and is in another one afterwards. A
// call without an admission (nil) needs none.
type Admission struct {
	Guard Guard
	ID    cap.ID
	Need  cap.Perm
	Held  rcu.Held
}

// Guard is what the gate does around a wait. It gets an admission in parts, so that none escapes to
// the heap.
type Guard interface {
	// Wait has w.Wake called when the capability is revoked, checks the capability once more, leaves
	// the section, calls w.Sleep, enters another section, which it returns, and checks again. After an
	// error the call is in the section that it returns all the same, and does nothing else: it may not
	// have slept.
	Wait(id cap.ID, need cap.Perm, held rcu.Held, w *Watch) (rcu.Held, error)
}

// Watch is who sleeps. It is kept where he does, so that a wait finds what the one before it left.
type Watch struct {
	Wake   func()     // ends Sleep: doesn't block, and may be called late and more than once. Constant
	Sleep  func()     // constant
	Waiter cap.Waiter // the guard's
}

package gate

import (
	"pdac/kernel/cap"
	"pdac/kernel/ipc"
)

// The functions of formulas are asked before a call's section begins, since they may take their time: about
// the capability that admits the call, and about those that the call derives from or moves. Those of a message
// that somebody changes meanwhile are refused.

// consents are those of the capabilities that a call uses beside the one that admits it.
type consents [max(ipc.MaxCaps, len(implicit{}))]cap.Consent

// message asks about what a message carries.
func (c *consents) message(m *Message) {
	for i := range min(max(m.Caps, 0), len(m.Cap)) {
		c[i] = core.table.Agree(m.Cap[i].ID)
	}
}

// authority asks about what a space's Linux calls are derived from.
func (c *consents) authority(a Authority) {
	for i, id := range [...]ID{a.Files, a.Console, a.Machine} {
		c[i] = core.table.Agree(id)
	}
}

// end ends them, and comes by defer before they are asked for: a function may panic.
func (c *consents) end() {
	for i := range c {
		c[i].End()
	}
}

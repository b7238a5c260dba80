package gate

import (
	"testing"

	"pdac/kernel/ipc"
	"pdac/kernel/space"
)

// TestOperatorIsNotMade: an Operator of a program's own can do nothing.
func TestOperatorIsNotMade(t *testing.T) {
	b := openGate(t)
	other := must(NewSpace(b.root.Spaces, Authority{}))
	in(t, other, func() {
		before := space.Get()
		for name, call := range map[string]func(*Operator){
			"Enter":        (*Operator).Enter,
			"Capabilities": func(o *Operator) { o.Capabilities(func(Capability) bool { return true }) },
			"Revoke":       func(o *Operator) { o.Revoke(b.root.Clock.Slot(), 1) },
			"Endpoints":    func(o *Operator) { o.Endpoints(func(ipc.Info) bool { return true }) },
			"Stats":        func(o *Operator) { o.Stats() },
		} {
			for _, o := range []*Operator{nil, {}} {
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s is everybody's", name)
						}
					}()
					call(o)
				}()
			}
		}
		if s := space.Get(); s != before {
			t.Errorf("in space %d, was in %d", s, before)
		}
	})
	must(TimeNow(b.root.Clock))
}

package gate

import (
	"strconv"

	"pdac/kernel/ipc"
)

// Operator is what the kernel's console may see and do: everything. Open gives it to the kernel.
type Operator struct{ _ [0]func() }

// Capability is an active capability as the operator sees it: by slot and generation, which give no
// right to anybody.
type Capability struct {
	Slot       uint32
	Generation uint64
	Info       Info // without the identifier
}

// Name is how the operator names it: slot:generation.
func (c *Capability) Name() string {
	return strconv.FormatUint(uint64(c.Slot), 10) + ":" + strconv.FormatUint(c.Generation, 10)
}

// Capabilities calls f for each active capability, parents before children, until f returns false.
// f must not block.
func (*Operator) Capabilities(f func(Capability) bool) {
	core.table.Walk(func(i Info) bool {
		c := Capability{i.ID.Slot(), core.table.Generation(i.ID), i}
		c.Info.ID = 0
		return f(c)
	})
}

// Revoke ends the capability in a slot, if it has that generation, and all derived from it.
//
// Errors: ErrNoCapability: it hasn't.
func (*Operator) Revoke(slot uint32, generation uint64) error {
	var id ID
	core.table.Walk(func(i Info) bool {
		if i.ID.Slot() == slot && core.table.Generation(i.ID) == generation {
			id = i.ID
		}
		return id == 0
	})
	if id == 0 {
		return ErrNoCapability
	}
	return core.table.Kill(id)
}

// Endpoints calls f for each endpoint, by number, until it returns false.
func (*Operator) Endpoints(f func(ipc.Info) bool) { core.endpoints.List(f) }

// Stats are those of StatsRead.
func (*Operator) Stats() Stats { return readStats() }

// Enter moves the calling goroutine to the kernel's space, which asks nobody.
func (*Operator) Enter() { enterKernel() }

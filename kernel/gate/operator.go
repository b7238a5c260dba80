package gate

import (
	"strconv"

	"pdac/kernel/ipc"
)

// Operator is what the kernel's console may see and do: everything. Open makes the one that there is and gives it to
// the kernel. Programs can name the type, and make zero values of it: all methods of those panic.
type Operator struct{ real bool } // constant

// prove panics unless o is what Open has made.
func (o *Operator) prove() {
	if !o.real {
		panic("gate: an Operator that Open has not made")
	}
}

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
func (o *Operator) Capabilities(f func(Capability) bool) {
	o.prove()
	core.table.Walk(func(i Info) bool {
		c := Capability{i.ID.Slot(), core.table.Generation(i.ID), i}
		c.Info.ID = 0
		return f(c)
	})
}

// Revoke ends the capability in a slot, if it has that generation, and all derived from it.
//
// Errors: ErrNoCapability: it hasn't.
func (o *Operator) Revoke(slot uint32, generation uint64) error {
	o.prove()
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
func (o *Operator) Endpoints(f func(ipc.Info) bool) {
	o.prove()
	core.endpoints.List(f)
}

// Stats are those of StatsRead.
func (o *Operator) Stats() Stats {
	o.prove()
	return readStats()
}

// Enter moves the calling goroutine to the kernel's space, which asks nobody.
func (o *Operator) Enter() {
	o.prove()
	enterKernel()
}

package gate

import (
	"strings"

	"pdac/kernel/cap"
	"pdac/kernel/space"
)

// What programs need of package cap, which they cannot import themselves.
type (
	ID      = cap.ID      // names a capability; 0 is none
	Perm    = cap.Perm    // a set of permissions
	Space   = cap.Space   // number of a space; 0 is none
	Options = cap.Options // formula and gas of a derived capability
	Formula = cap.Formula
	Info    = cap.Info
)

// Permissions that every type of object knows, those of single types, and all.
const (
	Read     = cap.Read
	Write    = cap.Write
	Execute  = cap.Execute
	Delete   = cap.Delete   // end this capability and what was derived from it
	Delegate = cap.Delegate // derive from it, and grant to what was derived
	Revoke   = cap.Revoke   // revoke and narrow what was derived from it
	Transfer = cap.Transfer // give it to another space
	Upgrade  = cap.Upgrade  // be granted more than it has

	Create = cap.Specific // Roots.Spaces, Task, Endpoints, Clock: make new ones
	Drive  = cap.Specific // Roots.Machine: map devices, wait for interrupts

	All = cap.AllPerms
)

// Types of objects.
const (
	anyType       cap.Type = iota
	typeSpaces             // where spaces are made
	typeSpace              // a space
	typeTask               // the calling task
	typeThread             // a spawned task
	typeMemory             // memory of the caller's space
	typeEndpoints          // where endpoints are made
	typeEndpoint           // an endpoint
	typeConsole            // the console's line
	typeClock              // the time
	typeTimer              // a timer
	typeLog                // the kernel's log
	typeStats              // statistics
	typePower              // the machine's power
	typeFiles              // files, for Linux calls of a space
	typeMachine            // devices, for Linux calls of a space
	types
)

var typeNames = [types]string{
	"any", "spaces", "space", "task", "spawned", "memory", "endpoints", "endpoint", "console", "clock", "timer", "log", "stats", "power", "files", "machine",
}

// TypeName returns the name of a type of objects.
func TypeName(t cap.Type) string {
	if t < types {
		return typeNames[t]
	}
	return "unknown"
}

// PermNames lists the permissions for a type of objects by name.
func PermNames(t cap.Type, p Perm) string {
	specific := "create"
	if t == typeMachine {
		specific = "drive"
	}
	return strings.Replace(p.String(), "bit8", specific, 1)
}

// newObject makes an object of a Go value, and a root capability for it that the caller's space
// holds. release is called when the last one is gone, or after an error.
func newObject(typ cap.Type, v any, release func(), p Perm) (ID, error) {
	o, err := core.table.Register(typ, v, release)
	if err != nil {
		if release != nil {
			release()
		}
		return 0, err
	}
	defer core.table.Unregister(o)
	owner := Space(space.Get())
	if !alive(owner) {
		return 0, ErrNoSpace
	}
	return core.table.Create(core.cpu(), owner, o, p, Options{})
}

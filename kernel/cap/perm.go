package cap

import (
	"strconv"
	"strings"
)

// Perm is a set of permissions.
type Perm uint32

// What every type of object knows. Bits 8 to 19 mean what the object's type says.
const (
	Read     Perm = 1 << iota
	Write         //
	Execute       //
	Delete        // end this capability and what was derived from it
	Delegate      // derive from it, and grant to what was derived
	Revoke        // revoke and narrow what was derived from it
	Transfer      // give it to another space
	Upgrade       // be granted more than it has

	Specific         Perm = 1 << 8 // the first of the object type's own
	AllPerms         Perm = 1<<20 - 1
	permissionsNamed      = 8
)

var permissionNames = [permissionsNamed]string{
	"read", "write", "execute", "delete", "delegate", "revoke", "transfer", "upgrade",
}

// String lists the permissions by name, the object type's own as bit8 to bit19. "none" is none.
func (p Perm) String() string {
	if p == 0 {
		return "none"
	}
	var s []string
	for i := 0; p>>i != 0; i++ {
		switch {
		case p>>i&1 == 0:
		case i < permissionsNamed:
			s = append(s, permissionNames[i])
		default:
			s = append(s, "bit"+strconv.Itoa(i))
		}
	}
	return strings.Join(s, "|")
}

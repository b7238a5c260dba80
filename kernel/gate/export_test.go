package gate

import (
	"context"
	"fmt"
	"testing"

	"pdac/kernel/ipc"
)

// OpenNaming opens a gate with rcu.track, and tells named of the section of each admitted call.
func OpenNaming(t *testing.T, named func(string)) {
	openTracked(t, true)
	cpu := core.cpu
	core.cpu = func() int { // asked before the section, and in it
		if s := Section(); s != "" {
			named(s)
		}
		return cpu()
	}
}

// Section returns what rcu says of the section that the caller is in; "": it is in none.
func Section() (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = fmt.Sprint(r)
		}
	}()
	core.rcu.Synchronize()
	return ""
}

// Recv is EndpointRecv that lets the caller's context be asked in the section.
func Recv(id ID, ctx context.Context) error {
	g, err := enterBlocking(endpointRecv, id)
	if err != nil {
		return err
	}
	defer g.end()
	return endpointRecv.at(&g, ctx, 0, new(Message), nil)
}

// Receivers counts those that wait at all endpoints.
func Receivers() (n int) {
	core.endpoints.List(func(i ipc.Info) bool { n += i.Receivers; return true })
	return n
}
